package namespaces

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// shiftClocks gives the child clocks of its own (--time-offset): the monotonic
// clock, and the time since boot that uptime(1) shows. The date stays the
// host's, since the kernel has only one (time_namespaces(7)).
func shiftClocks(c *container.Container) error {
	if c.Time == 0 {
		return nil
	}
	// Not for us: the processes that we clone from now on are born in it.
	if err := unix.Unshare(unix.CLONE_NEWTIME); err != nil {
		return fmt.Errorf("unshare CLONE_NEWTIME: %w", err)
	}
	// The thread that unshared holds the new namespace ready for its children.
	offsets := fmt.Sprintf("/proc/%d/timens_offsets", unix.Gettid())
	// The offsets can be set only while nobody is inside.
	fd, err := unix.Open(offsets, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", offsets, err)
	}
	// Written once, the file is not needed any more.
	defer unix.Close(fd)
	seconds := int64(c.Time.Seconds())
	text := fmt.Sprintf("monotonic %d 0\nboottime %d 0\n", seconds, seconds)
	// Both clocks, in seconds and nanoseconds.
	if _, err := unix.Write(fd, []byte(text)); err != nil {
		return fmt.Errorf("write %s: %w", offsets, err)
	}
	return nil
}
