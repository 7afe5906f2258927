package netns

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// join makes the child share another container's network, as the containers of
// a pod do: they reach each other at 127.0.0.1.
func join(c *container.Container) error {
	path := "/proc/" + strconv.Itoa(c.Net.Pid) + "/ns/net"
	// A namespace is held by a file under /proc.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	// This thread stays in it without the file.
	defer unix.Close(fd)
	// What this thread has entered, the child is born in.
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("setns %s: %w", path, err)
	}
	return nil
}
