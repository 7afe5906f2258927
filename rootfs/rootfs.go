// Package rootfs provides the directory that becomes a container's "/".
//
// The default one is made on first use from the machine's own tools: the
// programs of tools.go, the libraries they need, a small /etc and kit itself.
// Nothing is downloaded. Others are directories, used as they are, or tar
// archives, unpacked into the cache.
//
// The cache is /var/cache/kit for root, else $XDG_CACHE_HOME/kit or
// ~/.cache/kit; KIT_CACHE names another. It is the user's alone (mode 0700),
// because archives bring set-user-ID programs:
//
//	lock                  held while something is made or removed
//	roots/NAME/root       the directory that becomes "/"
//	roots/NAME/about.json what ls shows
//	roots/NAME/sources    size, time and inode of the files it was copied from
//	roots/NAME/kit        the same of the kit at its /bin/kit
//	roots/NAME/archive    an imported tar, gzip, for reset
//	tmp-*                 being made; a killed make's is removed by the next
//
// A root file system comes into being under a tmp name and is renamed, so a
// name that is there is whole.
package rootfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// DefaultName is the name of the root file system made from the machine's
// tools.
const DefaultName = "default"

// Root is a directory that can become "/".
type Root struct {
	Dir  string // absolute, free of symbolic links
	Name string // its name in the cache, "" for a directory used as it is
}

// Open gives the root file system that ref tells: "" or "default" for the one
// made of the machine's tools, the path of a directory, the path of a tar
// archive (plain, gzip, zstd or xz), or a name in the cache. What is not in the
// cache yet is made, and progress is told so in a line or two.
//
// Call it in the kit that the user started, before any other user namespace
// and any other copy of kit: it goes by the user's id and by /proc/self/exe.
// Its errors are of type *Error.
func Open(ref string, progress io.Writer) (Root, error) {
	r, err := open(ref, progress)
	if err == nil {
		err = check(r.Dir)
		if err != nil && r.Name != "" {
			err = hinted(err, "kit rootfs reset "+r.Name+" brings it back")
		}
	}
	if err != nil {
		return Root{}, wrap(ref, err)
	}
	return r, nil
}

func open(ref string, progress io.Writer) (Root, error) {
	if ref == "" || ref == DefaultName && !exists(ref) {
		return openDefault(progress)
	}
	info, err := os.Stat(ref)
	switch {
	case err == nil && info.IsDir():
		return openDir(ref)
	case err == nil && info.Mode().IsRegular():
		return openArchive(ref, progress)
	case err == nil:
		return Root{}, hinted(errors.New("neither a directory nor a tar archive"), hintKinds)
	case !errors.Is(err, fs.ErrNotExist):
		return Root{}, pathCause(err)
	case strings.Contains(ref, "/"):
		return Root{}, hinted(syscall.ENOENT, hintKinds)
	}
	return openName(ref)
}

func exists(p string) bool {
	_, err := os.Lstat(p)
	return err == nil
}

func openDir(ref string) (Root, error) {
	dir, err := filepath.Abs(ref)
	if err != nil {
		return Root{}, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return Root{}, pathCause(err)
	}
	return Root{Dir: dir}, nil
}

// openDefault makes the default root file system, or makes it anew when the
// machine's tools have changed.
func openDefault(progress io.Writer) (Root, error) {
	c, err := findCache()
	if err != nil {
		return Root{}, err
	}
	state := c.state(DefaultName)
	if state == current {
		return c.root(DefaultName), nil
	}
	unlock, err := c.lock(progress)
	if err == nil {
		defer unlock()
		err = c.freshen(DefaultName, progress)
	}
	if state == disturbed {
		err = nil // It is as good as current, in a cache that may be read-only.
	}
	return c.root(DefaultName), err
}

// openName opens what kit rootfs ls shows.
func openName(name string) (Root, error) {
	c, err := findCache()
	if err != nil {
		return Root{}, err
	}
	if !validName(name) || !exists(c.entry(name)) {
		return Root{}, hinted(errors.New("no such directory, archive or name"), hintKinds)
	}
	return c.root(name), c.freshenKit(name)
}
