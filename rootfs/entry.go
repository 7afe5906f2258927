package rootfs

import (
	"archive/tar"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// makeDir leaves the mode for the end: it may forbid to write.
func (u *unpacker) makeDir(fd int, base string, h *tar.Header) error {
	u.dirs = append(u.dirs, h)
	if h.Name == "." {
		return nil
	}
	err := unix.Mkdirat(fd, base, 0o700)
	if !errors.Is(err, unix.EEXIST) {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstatat(fd, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return nil
	}
	// Something else had the name: the later entry counts.
	u.moved()
	if err := unix.Unlinkat(fd, base, 0); err != nil {
		return err
	}
	return unix.Mkdirat(fd, base, 0o700)
}

// moved forgets which directory is open: its name may now lead elsewhere.
func (u *unpacker) moved() { u.at = "" }

func (u *unpacker) makeFile(fd int, base string, h *tar.Header, r io.Reader) error {
	if err := u.clear(fd, base); err != nil {
		return err
	}
	flags := unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_CLOEXEC
	n, err := unix.Openat(fd, base, flags, 0o600)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(n), h.Name)
	size, err := io.Copy(f, r)
	u.size += size
	return cmp.Or(err, u.finishFile(f, h), f.Close())
}

// finishFile gives an open file its owner, which takes away set-user-ID bits,
// then its mode, and its time.
func (u *unpacker) finishFile(f *os.File, h *tar.Header) error {
	if u.asUID == 0 {
		if err := f.Chown(h.Uid, h.Gid); err != nil && !errors.Is(err, unix.EINVAL) {
			return err // EINVAL: a user namespace without that id
		}
	}
	if err := unix.Fchmod(int(f.Fd()), uint32(h.Mode)&0o7777); err != nil {
		return err
	}
	if err := u.setXattrs(f, h); err != nil {
		return err
	}
	return unix.Futimes(int(f.Fd()), []unix.Timeval{timeval(h.AccessTime, h), timeval(h.ModTime, h)})
}

func timeval(t time.Time, h *tar.Header) unix.Timeval {
	if t.IsZero() {
		t = h.ModTime
	}
	return unix.NsecToTimeval(t.UnixNano())
}

// xattrPrefix marks extended attributes in a PAX header.
const xattrPrefix = "SCHILY.xattr."

// setXattrs sets the attributes that may be set: a user's own, and as root the
// file capabilities. A file system without attributes is no error.
func (u *unpacker) setXattrs(f *os.File, h *tar.Header) error {
	for key, value := range h.PAXRecords {
		name, ok := strings.CutPrefix(key, xattrPrefix)
		mine := strings.HasPrefix(name, "user.") || name == "security.capability" && u.asUID == 0
		if !ok || !mine {
			continue
		}
		err := unix.Fsetxattr(int(f.Fd()), name, []byte(value), 0)
		if err != nil && !errors.Is(err, unix.ENOTSUP) && !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("setxattr %s: %w", name, err)
		}
	}
	return nil
}

// makeOther makes what has no contents.
func (u *unpacker) makeOther(fd int, base string, h *tar.Header, create func() error) error {
	if err := u.clear(fd, base); err != nil {
		return err
	}
	if err := create(); err != nil {
		return err
	}
	if u.asUID == 0 {
		err := unix.Fchownat(fd, base, h.Uid, h.Gid, unix.AT_SYMLINK_NOFOLLOW)
		if err != nil && !errors.Is(err, unix.EINVAL) {
			return err
		}
	}
	ns := unix.NsecToTimespec(h.ModTime.UnixNano())
	return unix.UtimesNanoAt(fd, base, []unix.Timespec{ns, ns}, unix.AT_SYMLINK_NOFOLLOW)
}

// makeLink links to an entry before it, by the same rules for its directory.
func (u *unpacker) makeLink(fd int, base string, h *tar.Header) error {
	target, err := localName(h.Linkname)
	if err != nil {
		return err
	}
	if target == h.Name {
		return nil
	}
	if err := u.clear(fd, base); err != nil {
		return err
	}
	dir, err := u.root.Open(path.Dir(target))
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.Linkat(int(dir.Fd()), path.Base(target), fd, base, 0)
}

// clear removes an earlier entry of the same name.
func (u *unpacker) clear(fd int, base string) error {
	err := unix.Unlinkat(fd, base, 0)
	if errors.Is(err, unix.EISDIR) {
		err = unix.Unlinkat(fd, base, unix.AT_REMOVEDIR)
	}
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	u.moved()
	return err
}

// finishDirs gives the directories their owners, modes and times, the deepest
// first.
func (u *unpacker) finishDirs() error {
	done := map[string]bool{}
	for _, h := range slices.Backward(u.dirs) {
		if done[h.Name] {
			continue // A later entry for the same directory counts.
		}
		done[h.Name] = true
		info, err := u.root.Lstat(h.Name)
		if err != nil || !info.IsDir() {
			continue // A later entry took its place.
		}
		f, err := u.root.Open(h.Name)
		if err != nil {
			return entryError(h.Name, err)
		}
		err = cmp.Or(u.finishFile(f, h), f.Close())
		if err != nil {
			return entryError(h.Name, err)
		}
	}
	return nil
}
