package cgroups

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// choose returns the trees in which the container gets a cgroup, each with the
// place for it. Without root that may be none, unless a limit was asked for.
func choose(c *container.Container) ([]tree, error) {
	trees, err := usable(c)
	if err != nil {
		return nil, err
	}
	missing := lacking(c.Limits, trees)
	if len(missing) > 0 && c.Rootless && !hasV2(trees) {
		if err := askSystemd(c); err != nil {
			return nil, err
		}
		// We are somewhere else now.
		if trees, err = usable(c); err != nil {
			return nil, err
		}
		missing = lacking(c.Limits, trees)
	}
	if len(missing) > 0 {
		return nil, unavailable(missing[0], trees)
	}
	return trees, nil
}

// usable returns the trees in which we may make a cgroup.
func usable(c *container.Container) ([]tree, error) {
	all, err := find()
	if err != nil {
		return nil, err
	}
	var trees []tree
	for _, t := range all {
		if t.parent, err = t.place(c); err != nil {
			return nil, err
		}
		if t.parent == "" {
			continue
		}
		if t.v2 {
			if t.delegated, err = t.highest(); err != nil {
				return nil, err
			}
			if t.controllers, err = words(t.delegated + "/cgroup.controllers"); err != nil {
				return nil, err
			}
		}
		trees = append(trees, t)
	}
	return trees, nil
}

// place returns the directory in which the container's cgroup is to be made, ""
// where there is none that we may write to.
func (t tree) place(c *container.Container) (dir string, err error) {
	// Below our own cgroup its limits hold, too.
	dirs := []string{t.own}
	if t.v2 && t.own != t.top {
		// Better beside it: below it we would meet the rule that processes and
		// controllers do not go together.
		dirs = []string{path.Dir(t.own), t.own}
	}
	if t.v2 && !c.Rootless {
		// Best at the top, where there are controllers to be had.
		dirs = append([]string{t.top}, dirs...)
	}
	for _, dir := range dirs {
		if ok, err := writable(dir); ok || err != nil {
			return dir, err
		}
	}
	return "", nil
}

func hasV2(trees []tree) bool {
	return slices.ContainsFunc(trees, func(t tree) bool { return t.v2 })
}

// announce writes the cgroups down before they are there: what a killed kit
// leaves behind is found by its record.
func announce(c *container.Container, trees []tree) error {
	name := c.Name
	if c.Named {
		name = "kit-" + name // a name that kit has chosen begins so
	}
	c.Cgroups = nil
	for _, t := range trees {
		c.Cgroups = append(c.Cgroups, t.parent+"/"+name)
	}
	// The state file is where kit clean looks.
	err := c.Exclusive(nil)
	if err != nil && c.Named {
		return err
	}
	return nil
}

// makeCgroups makes the container's cgroups. One of that name without processes
// is what a killed kit has left.
func makeCgroups(c *container.Container) error {
	for i, dir := range c.Cgroups {
		err := makeCgroup(dir)
		if errors.Is(err, unix.EEXIST) && removeCgroup(dir) == nil {
			err = makeCgroup(dir) // without the limits of yesterday
		}
		if err != nil {
			c.Cgroups = c.Cgroups[:i] // this one is somebody else's: nothing for us to remove
			return err
		}
	}
	return nil
}

func makeCgroup(dir string) error {
	// A directory is all that a cgroup takes; the kernel fills it with files.
	if err := unix.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("mkdir %s: %w", dir, err)
	}
	return nil
}
