package overlay

import (
	"errors"
	"fmt"
	"path"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// The names under which the parent keeps its directories open, and so locked.
const (
	ownDir  = "own directory"
	workDir = "work"
)

// ownDirectory makes the container's own directory, and returns it open. Where
// the disk cannot hold an upper directory, it is in memory.
func ownDirectory(c *container.Container) (fd int, err error) {
	dir := c.Layers.Dir
	err = makeParents(dir)
	if err == nil && !holdsUpper(path.Dir(dir)) {
		return memory(c)
	}
	if err == nil {
		fd, err = makeDirectory(dir)
	}
	if noRoom(err) {
		return memory(c)
	}
	if err != nil {
		return -1, err
	}
	c.Keep(ownDir, fd)
	return fd, nil
}

// makeDirectory makes a directory and locks it. One that a killed kit has left
// is made anew; the kernel has unlocked it.
func makeDirectory(dir string) (fd int, err error) {
	// The name is the container's.
	err = unix.Mkdir(dir, 0o700)
	if errors.Is(err, unix.EEXIST) {
		if err := removeUnused(dir); err != nil {
			return -1, err
		}
		// The same again, where nothing is now.
		err = unix.Mkdir(dir, 0o700)
	}
	if err != nil {
		return -1, fmt.Errorf("mkdir %s: %w", dir, err)
	}
	fd, err = lock(dir)
	if err != nil && !errors.Is(err, unix.EWOULDBLOCK) {
		// Ours, and empty, and of no use.
		_ = unix.Rmdir(dir)
	}
	return fd, err
}

// makeParents makes the directories above a path, outermost first.
func makeParents(dir string) error {
	parent := path.Dir(dir)
	var found unix.Stat_t
	// They are there from the second container on.
	err := unix.Stat(parent, &found)
	if err == nil {
		return nil
	}
	if !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("stat %s: %w", parent, err)
	}
	if err := makeParents(parent); err != nil {
		return err
	}
	// Nobody else has business there.
	if err := unix.Mkdir(parent, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("mkdir %s: %w", parent, err)
	}
	return nil
}

// lock opens a directory and keeps others from removing it while it is open.
func lock(dir string) (fd int, err error) {
	// Only a directory will do: a link that was put there is not followed.
	fd, err = unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", dir, err)
	}
	// The lock ends with us, even if we are killed.
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		// It is another kit's.
		unix.Close(fd)
		return -1, fmt.Errorf("flock %s: %w", dir, err)
	}
	return fd, nil
}

// remove removes what goes with the container, and tells before that what has
// been changed, if that was asked for.
func remove(c *container.Container) error {
	l := c.Layers
	if l.Dir == "" {
		return nil
	}
	err := tellChanges(c)
	for _, name := range []string{ownDir, room, workDir} {
		if fd, ok := c.File(name); ok {
			// The lock ends with it, and so does what is only in memory.
			unix.Close(fd)
		}
	}
	if l.Work != "" {
		err = errors.Join(err, removeUnused(l.Work))
	}
	return errors.Join(err, removeUnused(l.Dir))
}

// removeUnused removes a container's directory, unless another kit has it locked:
// then it is that one's.
func removeUnused(dir string) error {
	fd, err := lock(dir)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return err
	}
	// It can be removed while it is open.
	defer unix.Close(fd)
	return container.RemoveTree(dir)
}
