package container

import (
	"os"

	"github.com/containerkit/kit/internal/state"
)

// register makes the running container known by its name, until forget is
// called. A container that was given no name runs also where nothing can be
// written down.
func register(c *Container) (forget func(), err error) {
	// Known with the container: the process that waits for it, which is us.
	kit := os.Getpid()
	s := state.State{
		Name: c.Name, Pid: c.Pid, Step: c.Steps, Rootfs: c.Root, Command: c.Args, KitPid: kit,
	}
	// From here on other kits find the container by its name.
	if err := state.Save(s); err != nil {
		if c.Named {
			return nil, &Error{Err: err}
		}
		return func() {}, nil
	}
	return func() {
		// The name is free again. What stays, after a kill, is stale by its pid.
		_ = state.Remove(c.Name, c.Pid)
	}, nil
}
