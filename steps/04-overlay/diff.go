package overlay

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// tellChanges tells the user what is in the upper directory (--diff), a line each:
//
//	A /path            added
//	C /path            changed: copied up, and then written to
//	C /path (opaque)   a directory made anew: nothing of the lower ones shows through
//	D /path            deleted: a whiteout
func tellChanges(c *container.Container) error {
	if !c.Layers.Diff {
		return nil
	}
	upper, err := openUpper(c)
	if errors.Is(err, unix.ENOENT) {
		return nil // the container never came to life
	}
	if err != nil {
		return err
	}
	// All has been read by then.
	defer unix.Close(upper)
	var lower []int
	for _, dir := range slices.Backward(lowers(c)) {
		fd, err := openDir(unix.AT_FDCWD, dir)
		if err != nil {
			return err
		}
		// A layer is only looked at.
		defer unix.Close(fd)
		lower = append(lower, fd)
	}
	d := diff{mountPoints: mountPoints(c)}
	if _, err = d.compare("/", upper, lower); err != nil {
		return err
	}
	c.Notes = append(c.Notes, d.lines...)
	return nil
}

func openUpper(c *container.Container) (fd int, err error) {
	if c.Layers.Upper != "" {
		return openDir(unix.AT_FDCWD, c.Layers.Upper)
	}
	if own, ok := c.File(ownDir); ok {
		return openDir(own, "upper")
	}
	return openDir(unix.AT_FDCWD, path.Join(c.Layers.Dir, "upper"))
}

// openDir opens a directory to be listed.
func openDir(at int, name string) (fd int, err error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	// Whatever the container has put there, a link is not followed.
	fd, err = unix.Openat(at, name, flags, 0)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", name, err)
	}
	return fd, nil
}

// mountPoints are what other steps make in the root file system, where it has
// none, to mount on: not a change of the user's.
func mountPoints(c *container.Container) []string {
	list := []string{"/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}
	for _, v := range c.Volumes {
		list = append(list, v.Target)
	}
	return list
}
