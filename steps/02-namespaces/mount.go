package namespaces

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// rootMount is the name under which mapRoot hands the root's mount to the child.
const rootMount = container.RootMount

// mountRoot puts a mount under the new root and stands in it, since pivot_root
// takes nothing but a mount point.
func mountRoot(c *container.Container) error {
	if fd, ok := c.File(rootMount); ok {
		// The mount has been prepared: put it over "/", where it can be reached.
		if err := unix.MoveMount(fd, "", unix.AT_FDCWD, "/", unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return fmt.Errorf("move_mount %s: %w", c.Root, err)
		}
		// Stand in it: pivot_root takes it from here.
		if err := unix.Fchdir(fd); err != nil {
			return fmt.Errorf("fchdir %s: %w", c.Root, err)
		}
		// The working directory holds it.
		unix.Close(fd)
		return nil
	}
	// A directory becomes a mount point when it is bound on itself.
	if err := unix.Mount(c.Root, c.Root, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount %s on itself: %w", c.Root, err)
	}
	// Stand in it: pivot_root takes it from here.
	if err := unix.Chdir(c.Root); err != nil {
		return fmt.Errorf("chdir %s: %w", c.Root, err)
	}
	return nil
}

// take opens a copy of the mount at path, with all that is mounted below it. It
// is attached nowhere yet, and so survives the change of root.
func take(c *container.Container, name, path string, readOnly bool) error {
	const flags = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_RECURSIVE
	// Take hold of it while the host's files can be seen.
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, flags)
	if err != nil {
		return fmt.Errorf("open_tree %s: %w", path, err)
	}
	c.Keep(name, fd)
	if !readOnly {
		return nil
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	// Read-only in every mount below it too, which MS_RDONLY would not be.
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
		return fmt.Errorf("mount_setattr %s read-only: %w", path, err)
	}
	return nil
}

// attach mounts at target what take has opened.
func attach(c *container.Container, name, target string) error {
	fd, ok := c.File(name)
	if !ok {
		return fmt.Errorf("move_mount %s: %w", target, unix.EBADF)
	}
	// It becomes visible here, and nowhere else.
	err := unix.MoveMount(fd, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH)
	if err != nil {
		return fmt.Errorf("move_mount %s: %w", target, err)
	}
	// The mount stays without the descriptor.
	unix.Close(fd)
	return nil
}

// mountPoint makes a directory to mount on, unless the root has it already.
func mountPoint(path string) error {
	var found unix.Stat_t
	// A mount needs a directory to stand on: is there one?
	err := unix.Stat(path, &found)
	if errors.Is(err, unix.ENOENT) {
		return makeDir(path)
	}
	if err != nil {
		return fmt.Errorf("stat %s: %w", path, err)
	}
	return nil
}

func makeDir(path string) error {
	// An empty directory, to be covered by a mount; another container of the same root
	// may have made it just now.
	if err := unix.Mkdir(path, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("mkdir %s: %w", path, err)
	}
	return nil
}
