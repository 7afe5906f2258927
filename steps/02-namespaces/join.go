package namespaces

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// join makes the child share namespaces with a running container, as the
// containers of a pod do (--ipc and --pid container:NAME). What a thread has
// entered, the processes that it clones are born in.
func join(c *container.Container) error {
	if c.IPC.Pid != 0 {
		if err := enter(c.IPC.Pid, "ipc", unix.CLONE_NEWIPC); err != nil {
			return err
		}
	}
	if c.PID.Pid != 0 {
		return enter(c.PID.Pid, "pid", unix.CLONE_NEWPID)
	}
	return nil
}

func enter(pid int, kind string, flag int) error {
	path := "/proc/" + strconv.Itoa(pid) + "/ns/" + kind
	// A namespace is held by a file under /proc.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	// The thread stays in the namespace without the file.
	defer unix.Close(fd)
	// For a PID namespace, only our children enter: a process keeps its PID.
	if err := unix.Setns(fd, flag); err != nil {
		return fmt.Errorf("setns %s: %w", path, err)
	}
	return nil
}
