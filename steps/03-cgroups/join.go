package cgroups

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// join is for v1, which has no CLONE_INTO_CGROUP: the child gets the doors open to the
// cgroups that it was not born in.
func join(c *container.Container) error {
	if c.Attr.UseCgroupFD {
		// The child has used it.
		unix.Close(c.Attr.CgroupFD)
	}
	file := "/tasks" // for one thread: execve leaves the child no other
	if c.Init {
		file = "/cgroup.procs" // for all threads: there is no execve
	}
	for _, dir := range c.Cgroups {
		if isV2(dir) {
			continue
		}
		// Who may move a process is asked here, not when the child writes.
		fd, err := unix.Open(dir+file, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open %s%s: %w", dir, file, err)
		}
		c.Hand(dir, fd)
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
