package overlay

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// An inode is what a directory says of a name. Zero is nothing.
type inode struct{ unix.Stat_t }

func (i inode) there() bool { return i.Mode != 0 }
func (i inode) isDir() bool { return i.Mode&unix.S_IFMT == unix.S_IFDIR }

// isWhiteout tells the mark of something deleted: a device that no driver has.
func (i inode) isWhiteout() bool {
	return i.Mode&unix.S_IFMT == unix.S_IFCHR && i.Rdev == 0
}

// same tells that neither the directory itself nor the names in it have changed.
func (i inode) same(o inode) bool { return i.Mtim == o.Mtim && i.sameOwner(o) }

func (i inode) sameOwner(o inode) bool {
	return i.Mode == o.Mode && i.Uid == o.Uid && i.Gid == o.Gid
}

// look finds a name in a directory.
func look(dir int, name string) (inode, error) {
	var found inode
	// The name itself: a link is not followed.
	err := unix.Fstatat(dir, name, &found.Stat_t, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) {
		return inode{}, nil
	}
	if err != nil {
		return inode{}, fmt.Errorf("stat %s: %w", name, err)
	}
	return found, nil
}

// lookup finds a name in lower directories as the kernel does it: the topmost
// that has it counts. Directories are merged, down to the first that is opaque or
// to something else of that name. They are returned open, the topmost first.
func lookup(lower []int, name string) (first inode, open []int, err error) {
	for _, dir := range lower {
		found, err := look(dir, name)
		if err != nil {
			return first, open, err
		}
		if !found.there() {
			continue
		}
		if found.isWhiteout() {
			break
		}
		if !first.there() {
			first = found
		}
		if !found.isDir() || !first.isDir() {
			break
		}
		fd, err := openDir(dir, name)
		if err != nil {
			return first, open, err
		}
		open = append(open, fd)
		if isOpaque(fd) {
			break
		}
	}
	return first, open, nil
}

// isOpaque tells that nothing of the directories below shows through.
func isOpaque(dir int) bool {
	for _, name := range []string{"trusted.overlay.opaque", "user.overlay.opaque"} {
		value := make([]byte, 1)
		// The kernel has marked it so, with the second name where it was mounted by a user.
		if n, err := unix.Fgetxattr(dir, name, value); err == nil && n == 1 && value[0] == 'y' {
			return true
		}
	}
	return false
}

// list returns the names in a directory in order.
func list(dir int) (names []string, err error) {
	buf := make([]byte, 32<<10)
	for {
		// As many names as fit.
		n, err := unix.ReadDirent(dir, buf)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			slices.Sort(names)
			return names, nil
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
}

func closeAll(fds []int) {
	for _, fd := range fds {
		// It is needed no more.
		unix.Close(fd)
	}
}
