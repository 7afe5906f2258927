package cgroups

import (
	"fmt"
	"path"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// enable makes sure that the container's cgroup is born with the files of the
// limits. A cgroup has those controllers that its parent's cgroup.subtree_control
// names, and the parent can name no others than it has itself: so from the top down.
func (t tree) enable(l container.Limits) error {
	needed := needs(l)
	for _, dir := range t.path() {
		inTheWay, err := crowded(dir)
		if err != nil {
			return err
		}
		if inTheWay {
			if len(needed) == 0 {
				return nil // the kernel counts CPU time without a controller, too
			}
			if err := makeRoom(dir); err != nil {
				return err
			}
		}
		if err := enableIn(dir, needed); err != nil {
			return err
		}
	}
	return nil
}

// path are the directories in which controllers must be enabled, from the top down.
func (t tree) path() (dirs []string) {
	for dir := t.parent; ; dir = path.Dir(dir) {
		dirs = append([]string{dir}, dirs...)
		if dir == t.delegated {
			return dirs
		}
	}
}

// enableIn enables controllers for the cgroups in a directory: those that limits
// need, and those that only count, where they can be had. Afterwards they stay
// enabled, since others may have come to use them.
func enableIn(dir string, needed []string) error {
	file := dir + "/cgroup.subtree_control"
	there, err := words(dir + "/cgroup.controllers")
	if err != nil {
		return err
	}
	enabled, err := words(file)
	if err != nil {
		return err
	}
	for _, name := range []string{"cpu", "cpuset", "io", "memory", "pids"} {
		if !slices.Contains(there, name) || slices.Contains(enabled, name) {
			continue
		}
		err := write(file, "+"+name)
		if err != nil && slices.Contains(needed, name) {
			return err
		}
	}
	return nil
}

// needs returns the controllers that the limits need, by the names of v2.
func needs(l container.Limits) (names []string) {
	for _, s := range settings(l) {
		names = append(names, s.controller())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// lacking returns those of them that none of the trees has.
func lacking(l container.Limits, trees []tree) []string {
	return slices.DeleteFunc(needs(l), func(name string) bool {
		return slices.ContainsFunc(trees, func(t tree) bool { return t.has(name) })
	})
}

// has tells that the tree has a controller, which goes by its name in v2.
func (t tree) has(name string) bool {
	if !t.v2 && name == "io" {
		name = "blkio"
	}
	return slices.Contains(t.controllers, name)
}

// unavailable is the error for a controller that a limit needs and that is not to
// be had.
func unavailable(name string, trees []tree) error {
	for _, t := range trees {
		if t.v2 {
			return fmt.Errorf("controller %s: not in %s/cgroup.controllers: %w",
				name, t.delegated, unix.ENODEV)
		}
	}
	return fmt.Errorf("controller %s: in no hierarchy that we may write to: %w", name, unix.ENODEV)
}
