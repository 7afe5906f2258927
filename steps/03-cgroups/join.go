package cgroups

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// openDoor opens the door to a cgroup of v1 for the child: v1 has no CLONE_INTO_CGROUP.
func openDoor(c *container.Container, dir string) error {
	file := "/tasks" // for one thread: execve leaves the child no other
	if c.Init {
		file = "/cgroup.procs" // for all threads: there is no execve
	}
	// Who may move a process is asked here, not when the child writes.
	fd, err := unix.Open(dir+file, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s%s: %w", dir, file, err)
	}
	c.Hand(dir, fd)
	return nil
}

// release closes the cgroup of v2, in which the child was born.
func release(c *container.Container) error {
	if c.Attr.UseCgroupFD {
		// Clone has used it.
		unix.Close(c.Attr.CgroupFD)
	}
	return nil
}

// enter lets the child move itself through the doors.
func enter(c *container.Container) error {
	for _, dir := range c.Cgroups {
		fd, ok := c.File(dir)
		if !ok {
			continue
		}
		// 0 is the thread that writes it. To move another takes the kernel some milliseconds, in
		// which nobody may fork or end.
		_, err := unix.Write(fd, []byte("0"))
		// It is inside.
		unix.Close(fd)
		if err != nil {
			return fmt.Errorf("enter %s: %w", dir, err)
		}
	}
	return ownView(c)
}
