package container

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/containerkit/kit/internal/state"
)

// claim makes the container known before anything of it is there, so that its
// name is its own, and that what a killed kit leaves behind can be found by it.
// A container that was given no name runs also where nothing can be written
// down.
func claim(c *Container) error {
	if c.Net.Outer != 0 {
		return nil // step 0 has done it for us
	}
	s, err := c.state()
	if err == nil {
		// From here on other kits know the name.
		err = state.Claim(s)
	}
	if err != nil && c.Named {
		return err
	}
	return nil
}

// record writes down what has been found out since: the child, its address.
func record(c *Container) error {
	err := c.Exclusive(func([]*Container) error { return nil })
	if err != nil && c.Named {
		return err
	}
	return nil
}

// Exclusive runs f with all other containers of the user that run or are being
// built, while no other kit does the same, and remembers the container as f
// leaves it: two containers never choose the same address.
func (c *Container) Exclusive(f func(others []*Container) error) error {
	// Other kits wait here until we have finished.
	return state.Exclusive(func(dir string) error {
		all, err := state.List()
		if err != nil {
			return err
		}
		var others []*Container
		for _, s := range all {
			if s.Name == c.Name || !s.Running() {
				continue
			}
			o := &Container{Pid: s.Pid}
			if err := json.Unmarshal(s.Container, o); err == nil {
				others = append(others, o)
			}
		}
		if err := f(others); err != nil {
			return err
		}
		s, err := c.state()
		if err != nil {
			return err
		}
		return state.Save(dir, s)
	})
}

// state is the container as it is written down.
func (c *Container) state() (state.State, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return state.State{}, fmt.Errorf("state %s: %w", c.Name, err)
	}
	// Known with the container: the process that waits for it, which is us.
	kit := os.Getpid()
	return state.State{
		Name: c.Name, Pid: c.Pid, Step: c.Steps, Rootfs: c.Root, Command: c.Args,
		KitPid: kit, OuterPid: c.Kit, Container: text,
	}, nil
}

// forget gives the name back. What stays, after a kill, is found by kit clean.
func forget(c *Container) {
	// Only what is still ours.
	_ = state.Remove(c.Name, os.Getpid())
}
