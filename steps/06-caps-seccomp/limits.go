package capsseccomp

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// setOOMScore tells the kernel whom to kill first when memory runs out.
func setOOMScore(c *container.Container) error {
	if c.Security.OOMScore == nil {
		return nil
	}
	const path = "/proc/self/oom_score_adj"
	value := strconv.Itoa(*c.Security.OOMScore)
	// The adjustment is a file of the process, and its children inherit the value.
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	// It is set as soon as it is written.
	defer unix.Close(fd)
	// The higher, the sooner. Below what it was needs CAP_SYS_RESOURCE on the host.
	if _, err := unix.Write(fd, []byte(value)); err != nil {
		return fmt.Errorf("write %s %s: %w", path, value, err)
	}
	return nil
}

// setLimits sets what a single process may use, where cgroups limit all of them
// together (getrlimit(2)). They bind whoever has them, so they come late.
func setLimits(c *container.Container) error {
	for _, u := range c.Security.Ulimits {
		limit := unix.Rlimit{Cur: u.Soft, Max: u.Hard}
		// The soft limit counts; a process may raise it as far as the hard one. To raise
		// that needs CAP_SYS_RESOURCE on the host.
		if err := unix.Prlimit(0, u.Resource, &limit, nil); err != nil {
			return fmt.Errorf("prlimit %s %d:%d: %w", u.Name, u.Soft, u.Hard, err)
		}
	}
	return nil
}
