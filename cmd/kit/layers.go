//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/rootfs"
)

// layerOptions are the flags of step 4.
type layerOptions struct {
	lower []string
	upper string
	diff  bool

	upperFlag *pflag.Flag // tells whether it was given, be it empty
}

func (o *layerOptions) addTo(f *pflag.FlagSet) {
	f.StringArrayVar(&o.lower, "layer", nil,
		"step 4: put `DIR` on top of the root file system; again for more, the lowest first")
	f.StringVar(&o.upper, "upper", "",
		"step 4: keep the changes in `DIR`, which is made if it is not there")
	o.upperFlag = f.Lookup("upper")
	f.BoolVar(&o.diff, "diff", false, "step 4: list at the end what was changed")
}

// set puts them into the container; one of fewer steps gets nothing.
func (o *layerOptions) set(c *container.Container) (err error) {
	if c.Steps < overlayStep {
		return nil
	}
	l := &c.Layers
	l.Diff = o.diff
	for _, dir := range o.lower {
		path, err := layerDir(dir)
		if err != nil {
			return fmt.Errorf("--layer %s: %w", dir, err)
		}
		l.Lower = append(l.Lower, path)
	}
	if o.upperFlag.Changed {
		if l.Upper, err = upperDir(o.upper); err != nil {
			return fmt.Errorf("--upper %s: %w", o.upper, err)
		}
		l.Work = filepath.Join(filepath.Dir(l.Upper), ".kit-work-"+c.Name)
	}
	containers, err := rootfs.Containers()
	if err != nil {
		return failed(err)
	}
	l.Dir = filepath.Join(containers, c.Name)
	return nil
}

// overlayStep is the first step that has layers.
const overlayStep = 4

// layerDir finds a directory that is only read.
func layerDir(dir string) (string, error) {
	path, err := absolute(dir)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(path); err != nil {
		return "", cause(err)
	} else if !info.IsDir() {
		return "", unix.ENOTDIR
	}
	return path, nil
}

// upperDir finds the directory that keeps the changes, which need not be there.
func upperDir(dir string) (string, error) {
	path, err := absolute(dir)
	if errors.Is(err, fs.ErrNotExist) {
		// The one that it will be in must be there.
		clean, err := filepath.Abs(dir)
		if err != nil {
			return "", err
		}
		parent, err := absolute(filepath.Dir(clean))
		if err != nil {
			return "", err
		}
		if err := keepsFiles(parent); err != nil {
			return "", err
		}
		return filepath.Join(parent, filepath.Base(clean)), writable(parent)
	}
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(path); err != nil {
		return "", cause(err)
	} else if !info.IsDir() {
		return "", unix.ENOTDIR
	}
	if err := sameMount(path, filepath.Dir(path)); err != nil {
		return "", err
	}
	if err := writable(path); err != nil {
		return "", err
	}
	if err := writable(filepath.Dir(path)); err != nil {
		return "", fmt.Errorf("%s, where the work directory is made: %w", filepath.Dir(path), err)
	}
	return path, nil
}

// absolute is the path of what is there, without symbolic links.
func absolute(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("the path is empty")
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", cause(err)
	}
	if !utf8.ValidString(path) { // JSON, in which it goes to the child, has nothing else
		return "", errors.New("not UTF-8")
	}
	return path, nil
}

// cause is an error without the path that it is about, which stands before it.
func cause(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// writable asks the kernel, which knows of read-only file systems, too.
func writable(dir string) error {
	return unix.Access(dir, unix.W_OK|unix.X_OK)
}

// keepsFiles refuses file systems that are windows into the kernel.
func keepsFiles(dir string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return err
	}
	switch st.Type {
	case unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC,
		unix.DEVPTS_SUPER_MAGIC, unix.DEBUGFS_MAGIC, unix.TRACEFS_MAGIC:
		return fmt.Errorf("%s is the kernel's own, and keeps no files", dir)
	}
	return nil
}

// sameMount refuses a mount point: the work directory has to be on the same
// mount as the upper one, and is made beside it.
func sameMount(dir, parent string) error {
	var a, b unix.Statx_t
	for path, st := range map[string]*unix.Statx_t{dir: &a, parent: &b} {
		if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_MNT_ID, st); err != nil {
			return nil // the mount will say what is wrong
		}
	}
	if a.Mnt_id != b.Mnt_id {
		return errors.New("is a mount point, and the work directory must be on the same mount: " +
			"name a directory in it")
	}
	return nil
}

// checkLayers refuses layers that lie in one another, which the kernel would, too.
func checkLayers(c *container.Container) error {
	if c.Steps < overlayStep {
		return nil
	}
	type place struct{ flag, path string }
	all := []place{{"--rootfs", c.Root}}
	for _, dir := range c.Layers.Lower {
		all = append(all, place{"--layer", dir})
	}
	if c.Layers.Upper != "" {
		all = append(all, place{"--upper", c.Layers.Upper})
	}
	for i, a := range all {
		for _, b := range all[:i] {
			if a.path == b.path {
				return fmt.Errorf("%s %s: the same directory as %s", a.flag, a.path, b.flag)
			}
			if below(a.path, b.path) || below(b.path, a.path) {
				return fmt.Errorf("%s %s: overlaps %s %s", a.flag, a.path, b.flag, b.path)
			}
		}
	}
	return nil
}

// below tells that a path lies in a directory.
func below(path, dir string) bool {
	return strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
