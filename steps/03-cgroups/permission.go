package cgroups

import (
	"errors"
	"fmt"
	"path"

	"golang.org/x/sys/unix"
)

// highest returns the highest directory down from which we may enable
// controllers: the top, or where somebody has given a part of the tree to us.
func (t tree) highest() (dir string, err error) {
	for dir = t.parent; dir != t.top; dir = path.Dir(dir) {
		if ok, err := writable(path.Dir(dir)); !ok || err != nil {
			return dir, err
		}
	}
	return dir, nil
}

// writable tells that we may make cgroups in a directory, and move processes there.
func writable(dir string) (bool, error) {
	for _, path := range []string{dir + "/cgroup.procs", dir} {
		// Who may move processes is up to the permissions of a file; who may make
		// cgroups, to those of the directory.
		err := unix.Access(path, unix.W_OK)
		if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EROFS) || errors.Is(err, unix.ENOENT) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("access %s: %w", path, err)
		}
	}
	return true, nil
}
