package attack

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// devices are the attacks on the host's hardware.
func devices() []*Attack {
	return []*Attack{{
		Name: "device", Tries: "make a device node, and open it", Stop: 3,
		By: []Call{{"write", "devices."}, {"bpf", "BPF_PROG_ATTACH"}},
		Why: "A node may be made, since it is only two numbers; the cgroup says which devices may " +
			"be opened. Step 6 leaves CAP_MKNOD, as Docker does.",
		Run: openDevice,
	}}
}

// openDevice makes a node in a directory of the container's, opens it for reading,
// and removes it. It reads nothing.
func openDevice(t *Target) (string, error) {
	path := t.Root + "/tmp/device"
	d := t.Device
	if err := unix.Mknod(path, d.Mode|0o600, int(unix.Mkdev(d.Major, d.Minor))); err != nil {
		return "", fmt.Errorf("mknod %s: %w", d, err)
	}
	defer os.Remove(path)
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", d, err)
	}
	unix.Close(fd)
	return "opened " + d.String() + " for reading", nil
}

func (d Device) String() string {
	kind := "b"
	if d.Mode == unix.S_IFCHR {
		kind = "c"
	}
	return fmt.Sprintf("%s (%s %d:%d)", d.Name, kind, d.Major, d.Minor)
}
