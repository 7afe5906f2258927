package check

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// A place is a file as statx(2) knows it: the file and the mount by which it was reached.
type place struct {
	major, minor uint32
	inode, mount uint64 // mount: 0 before Linux 5.8
}

func placeOf(fd int) (place, error) { return statx(fd, "") }

func placeAt(path string) (place, error) { return statx(unix.AT_FDCWD, path) }

func statx(fd int, path string) (place, error) {
	var s unix.Statx_t
	err := unix.Statx(fd, path, unix.AT_EMPTY_PATH|unix.AT_NO_AUTOMOUNT,
		unix.STATX_INO|unix.STATX_MNT_ID, &s)
	if err != nil {
		return place{}, fmt.Errorf("statx: %w", err)
	}
	return place{s.Dev_major, s.Dev_minor, s.Ino, s.Mnt_id}, nil
}

// sameFile tells that two are the same file, by whichever mounts.
func (p place) sameFile(o place) bool {
	return p.major == o.major && p.minor == o.minor && p.inode == o.inode
}

// String is like "device 254:0, inode 2".
func (p place) String() string {
	return fmt.Sprintf("device %d:%d, inode %d", p.major, p.minor, p.inode)
}

// above is the directory above a directory, as the kernel walks "..": our own root does not
// stop it in a tree that is not below our root.
func above(fd int) (int, error) {
	up, err := unix.Openat(fd, "..", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open ..: %w", err)
	}
	return up, nil
}

// inside tells that the way up from a directory leads by root, and not past it.
func inside(dir int, root place) (bool, error) {
	fd, err := unix.FcntlInt(uintptr(dir), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return false, err
	}
	at, err := placeOf(fd)
	for err == nil && at != root {
		var up int
		if up, err = above(fd); err != nil {
			break
		}
		unix.Close(fd)
		fd = up
		last := at
		if at, err = placeOf(fd); err == nil && at == last {
			unix.Close(fd)
			return false, nil // the top, and root was not on the way
		}
	}
	unix.Close(fd)
	return err == nil, err
}

// beneath opens a path as the process itself would: no link leads out of its root
// (openat2(2), RESOLVE_IN_ROOT). The last part of the path is not followed.
func (p *process) beneath(path string) (int, error) {
	if p.rootErr != nil {
		return -1, p.rootErr
	}
	how := unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC | unix.O_NOFOLLOW,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	fd, err := unix.Openat2(p.root, path, &how)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", path, err)
	}
	return fd, nil
}
