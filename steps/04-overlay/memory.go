package overlay

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// noRoom tells that a directory could not be made where it should be, and could
// be elsewhere.
func noRoom(err error) bool {
	for _, errno := range []unix.Errno{unix.EROFS, unix.ENOSPC, unix.EDQUOT, unix.EACCES, unix.EPERM} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// holdsUpper tells whether the file system of a directory can hold the upper
// directory of an overlay. Network file systems cannot, nor can an overlay,
// which is what a container's own disk mostly is.
func holdsUpper(dir string) bool {
	var fs unix.Statfs_t
	// What kind of file system is it?
	if err := unix.Statfs(dir, &fs); err != nil {
		return true // the mount will say what is wrong
	}
	switch fs.Type {
	case unix.OVERLAYFS_SUPER_MAGIC, unix.NFS_SUPER_MAGIC, unix.V9FS_MAGIC, unix.FUSE_SUPER_MAGIC,
		unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.MSDOS_SUPER_MAGIC:
		return false
	}
	return true
}

// memory makes the container's own directory on a file system in memory. It is
// mounted nowhere until the child does so: open files are all that holds it.
func memory(c *container.Container) (fd int, err error) {
	// The file system is chosen, ...
	fs, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("fsopen tmpfs: %w", err)
	}
	// The mount will hold it.
	defer unix.Close(fs)
	// ... closed to all but its owner, ...
	if err := unix.FsconfigSetString(fs, "mode", "700"); err != nil {
		return -1, fmt.Errorf("fsconfig tmpfs mode: %w", err)
	}
	// ... and made.
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, fmt.Errorf("fsconfig tmpfs: %w", err)
	}
	// This is a mount of it, for the child to attach.
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("fsmount tmpfs: %w", err)
	}
	c.Hand(room, mount)
	// And this its root directory, which stays readable for us.
	fd, err = unix.Openat(mount, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open tmpfs: %w", err)
	}
	c.Keep(ownDir, fd)
	c.Notes = append(c.Notes, c.Layers.Dir+" cannot hold the changes: they are in memory")
	return fd, nil
}
