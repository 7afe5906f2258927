package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
)

// path is where the user's containers are remembered.
func path() string {
	if dir := os.Getenv("KIT_STATE"); dir != "" {
		return dir
	}
	uid := hostUID()
	if uid == 0 {
		return "/run/kit"
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "kit")
	}
	return fmt.Sprintf("/tmp/kit-%d", uid)
}

// Dir is where the user's containers are remembered; it need not be there yet.
func Dir() string { return path() }

// hostUID is our uid outside of the user namespace that we are in: a kit that
// made itself root looks for its containers where the user's next kit does.
func hostUID() uint32 {
	uid := uint32(os.Geteuid())
	m, err := procfs.IDMap(0, "uid_map")
	if err != nil || uid != 0 { // who is not root there has not made it to become root
		return uid
	}
	if outside, ok := m.Outside(uid); ok {
		return outside
	}
	return uid
}

// makeDir returns the directory, and makes it where it is not there yet.
func makeDir() (string, error) {
	dir, err := findDir()
	if !errors.Is(err, os.ErrNotExist) {
		return dir, err
	}
	if err := os.Mkdir(path(), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return findDir()
}

// findDir returns the directory, or an error that is os.ErrNotExist. It refuses
// one that others could have written to.
func findDir() (string, error) {
	dir := path()
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("state directory %s: not a directory", dir)
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; int(uid) != os.Geteuid() {
		return "", fmt.Errorf("state directory %s: belongs to uid %d, not to %d", dir, uid, os.Geteuid())
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("state directory %s: others may use it (mode %04o, not 0700)",
			dir, info.Mode().Perm())
	}
	return dir, nil
}

// lock keeps other kits out of dir. The kernel unlocks it when we end.
func lock(dir string) (unlock func(), err error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	for {
		err = unix.Flock(fd, unix.LOCK_EX)
		if err == nil {
			return func() { unix.Close(fd) }, nil
		}
		if !errors.Is(err, unix.EINTR) {
			unix.Close(fd)
			return nil, fmt.Errorf("flock %s: %w", dir, err)
		}
	}
}
