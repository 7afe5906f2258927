package overlay

import (
	"fmt"
	"path"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// room is the name of a mount of the container's own directory, for a child who
// cannot reach it by a path: it is in memory, or its owners are mapped.
const room = "room"

// findPlaces tells by which names the child finds the layers.
func findPlaces(c *container.Container) (places, error) {
	p := places{lower: lowers(c), upper: "upper", work: "work", merged: "merged"}
	if fd, ok := c.File(room); ok {
		if err := standIn(fd); err != nil {
			return p, err
		}
	} else {
		p.upper, p.work = path.Join(c.Layers.Dir, p.upper), path.Join(c.Layers.Dir, p.work)
		p.merged = path.Join(c.Layers.Dir, p.merged)
	}
	if c.Layers.Upper != "" {
		p.upper, p.work = c.Layers.Upper, c.Layers.Work
	}
	if c.UserNS != container.UserNSRemap {
		return p, nil
	}
	return p.mapped(c)
}

// standIn puts a mount over "/", where no path leads to it, and stands in it.
func standIn(fd int) error {
	// In our mount namespace only, and not for long.
	err := unix.MoveMount(fd, "", unix.AT_FDCWD, "/", unix.MOVE_MOUNT_F_EMPTY_PATH)
	if err != nil {
		return fmt.Errorf("move_mount own directory: %w", err)
	}
	// Paths that do not begin with "/" begin here.
	if err := unix.Fchdir(fd); err != nil {
		return fmt.Errorf("fchdir own directory: %w", err)
	}
	// The working directory holds it.
	unix.Close(fd)
	return nil
}

// newRoot makes the overlay what becomes "/", in place of the directory.
func newRoot(c *container.Container, merged string) error {
	if path.IsAbs(merged) {
		c.Root = merged
		return nil
	}
	// No path leads to it: step 2 is given the mount itself.
	fd, err := unix.OpenTree(unix.AT_FDCWD, merged, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return fmt.Errorf("open_tree %s: %w", merged, err)
	}
	c.Keep(container.RootMount, fd)
	// The overlay holds its layers by itself. What lies over "/" has to go, or the old
	// root could not be unmounted later: it would be below.
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("umount own directory: %w", err)
	}
	return nil
}
