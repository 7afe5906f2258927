package container

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
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
	err := c.Exclusive(nil)
	if err != nil && c.Named {
		return err
	}
	return nil
}

// Exclusive runs f, unless it is nil, with all other containers of the user, while no
// other kit does the same, and remembers the container as f leaves it: two containers
// never choose the same address. Of the others it tells what brief has. The kit of one of
// them may just have been killed: Runs tells.
func (c *Container) Exclusive(f func(others []*Container) error) error {
	// Other kits wait here until we have finished.
	return state.Exclusive(func(dir string) error {
		if f != nil {
			others, err := c.others()
			if err != nil {
				return err
			}
			if err := f(others); err != nil {
				return err
			}
		}
		s, err := c.state()
		if err != nil {
			return err
		}
		return state.Save(dir, s)
	})
}

// others are the other containers, in the order in which they came.
func (c *Container) others() (others []*Container, err error) {
	all, err := state.Briefs()
	if c.met == nil {
		c.met = make(map[string]*Container, len(all))
	}
	for _, s := range all {
		if s.Name == c.Name {
			continue
		}
		o := c.met[s.Name]
		// Most are the same as the last time.
		if o == nil || !bytes.Equal(o.seen.Container, s.Container) {
			o = &Container{Name: s.Name}
			if json.Unmarshal(s.Container, o) != nil {
				continue
			}
			c.met[s.Name] = o
		}
		o.Pid, o.seen = s.Pid, s
		others = append(others, o)
	}
	return others, err
}

// Runs tells whether a container that Exclusive has given still runs.
func (c *Container) Runs() bool { return c.seen.Running() }

// A brief is what others ask of a container, as a part of its JSON.
type brief struct {
	Hostname, Root string
	PID            *Sharing `json:",omitempty"`
	Layers         *Layers  `json:",omitempty"`
	Net            briefNet
}

type briefNet struct {
	Kind    NetKind
	Outer   uint64       `json:",omitempty"`
	Address netip.Prefix `json:",omitzero"`
	Closed  bool         `json:",omitempty"`
	Publish []Port       `json:",omitempty"`
}

// brief is all that others ask about the container: with whom it shares what.
func (c *Container) brief() ([]byte, error) {
	b := brief{Hostname: c.Hostname, Root: c.Root, Net: briefNet{
		Kind: c.Net.Kind, Outer: c.Net.Outer, Address: c.Net.Address, Closed: c.Net.Closed,
		Publish: c.Net.Publish,
	}}
	if !c.PID.Own() {
		b.PID = &c.PID
	}
	if c.Layers.Upper != "" || len(c.Layers.Lower) > 0 {
		b.Layers = &c.Layers
	}
	return json.Marshal(b)
}

// state is the container as it is written down.
func (c *Container) state() (state.State, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return state.State{}, fmt.Errorf("state %s: %w", c.Name, err)
	}
	brief, err := c.brief()
	if err != nil {
		return state.State{}, fmt.Errorf("state %s: %w", c.Name, err)
	}
	// Known with the container: the process that waits for it, which is us.
	kit := os.Getpid()
	return state.State{
		Name: c.Name, Pid: c.Pid, Step: c.Steps, Rootfs: c.Root, Command: c.Args,
		KitPid: kit, OuterPid: c.Kit, Container: text, Brief: brief,
	}, nil
}

// forget gives the name back. What stays, after a kill, is found by kit clean.
func forget(c *Container) {
	// Only what is still ours.
	_ = state.Remove(c.Name, os.Getpid())
}
