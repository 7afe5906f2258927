package attack

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// names are the attacks on what else has a name on the host.
func names() []*Attack {
	return []*Attack{
		{
			Name: "hostname", Tries: "change the host's name", Stop: 2,
			By: []Call{{"clone", "CLONE_NEWUTS"}},
			Why: "The name belongs to the UTS namespace, and the container has one of its own: it " +
				"may change that.",
			Run: changeName, Watch: nameChanged,
		},
		{
			Name: "ipc", Tries: "read shared memory of a neighbour", Stop: 2,
			By: []Call{{"clone", "CLONE_NEWIPC"}},
			Why: "The keys of SysV IPC belong to the IPC namespace: the same key is another " +
				"segment here, or none.",
			Run: readSegment,
		},
	}
}

const newName = "broken-into"

func changeName(*Target) (string, error) {
	if err := unix.Sethostname([]byte(newName)); err != nil {
		return "", fmt.Errorf("sethostname %s: %w", newName, err)
	}
	return "the host is now called " + newName, nil
}

func nameChanged(*Host) (func() error, error) {
	if err := unix.Sethostname([]byte(hostName)); err != nil {
		return nil, fmt.Errorf("sethostname %s: %w", hostName, err)
	}
	return func() error {
		name, err := os.Hostname()
		if err == nil && name != newName {
			return fmt.Errorf("sethostname %s: the host is still called %s", newName, name)
		}
		return err
	}, nil
}

func readSegment(t *Target) (string, error) {
	id, err := unix.SysvShmGet(t.ShmKey, 0, 0)
	if err != nil {
		return "", fmt.Errorf("shmget %#x: %w", t.ShmKey, err)
	}
	memory, err := unix.SysvShmAttach(id, 0, unix.SHM_RDONLY)
	if err != nil {
		return "", fmt.Errorf("shmat %#x: %w", t.ShmKey, err)
	}
	return t.tells(string(memory), fmt.Sprintf("segment %#x", t.ShmKey))
}
