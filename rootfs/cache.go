package rootfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A cache is the directory that holds the root file systems.
type cache struct {
	dir string // absolute, free of symbolic links once it is there
}

// findCache does not make the directory.
func findCache() (cache, error) {
	dir, err := cacheDir()
	if err != nil {
		return cache{}, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return cache{}, err
	}
	if there, err := filepath.EvalSymlinks(dir); err == nil {
		dir = there
	}
	return cache{dir}, nil
}

func cacheDir() (string, error) {
	if dir := os.Getenv("KIT_CACHE"); dir != "" {
		return dir, nil
	}
	if os.Geteuid() == 0 && rootHere() {
		return "/var/cache/kit", nil
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "kit"), nil
	}
	if home := os.Getenv("HOME"); home != "" {
		return filepath.Join(home, ".cache/kit"), nil
	}
	return "", hinted(
		errors.New("no place for it: neither HOME, XDG_CACHE_HOME nor KIT_CACHE is set"), hintCache)
}

// rootHere tells the machine's root from a user who is root in a user
// namespace of their own (user_namespaces(7)).
func rootHere() bool {
	ids, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return true
	}
	f := strings.Fields(string(ids))
	return len(f) >= 2 && f[0] == "0" && f[1] == "0"
}

func (c cache) entry(name string) string { return filepath.Join(c.dir, "roots", name) }

func (c cache) file(name, file string) string { return filepath.Join(c.entry(name), file) }

func (c cache) root(name string) Root {
	return Root{Dir: c.file(name, "root"), Name: name}
}

// lock makes the cache, waits for other kits that change it, and removes what
// a killed one left half-made. progress hears of a wait.
func (c *cache) lock(progress io.Writer) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Join(c.dir, "roots"), 0o700); err != nil {
		return nil, err
	}
	if c.dir, err = filepath.EvalSymlinks(c.dir); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(c.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f, progress); err != nil {
		f.Close()
		return nil, err
	}
	c.sweep()
	return func() { f.Close() }, nil
}

func flock(f *os.File, progress io.Writer) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return lockError(f, err)
	}
	fmt.Fprintln(progress, "kit: waiting for another kit that is making a root file system")
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			return lockError(f, err)
		}
	}
}

func lockError(f *os.File, err error) error {
	if err != nil {
		return &fs.PathError{Op: "flock", Path: f.Name(), Err: err}
	}
	return nil
}

// sweep removes what killed kits left. Whoever holds the lock is alone.
func (c cache) sweep() {
	left, _ := filepath.Glob(filepath.Join(c.dir, "tmp-*"))
	for _, dir := range left {
		_ = removeTree(dir)
	}
}

// build lets fill make an entry in a temporary directory and puts it into
// place. The one that may have had that name takes the name keep, or is removed
// when that is "". Nothing is left when fill fails. The cache must be locked.
func (c cache) build(name, keep string, fill func(dir string) (Info, error)) error {
	tmp, err := os.MkdirTemp(c.dir, "tmp-")
	if err != nil {
		return err
	}
	defer func() { _ = removeTree(tmp) }()
	dir := filepath.Join(tmp, "new")
	if err := os.MkdirAll(filepath.Join(dir, "root"), 0o755); err != nil {
		return err
	}
	if err := os.Chmod(filepath.Join(dir, "root"), 0o755); err != nil {
		return err
	}
	info, err := fill(dir)
	if err != nil {
		return err
	}
	info.Name = name
	if err := writeInfo(dir, info); err != nil {
		return err
	}
	if keep != "" {
		if err := move(c.entry(keep), filepath.Join(tmp, "older")); err != nil {
			return err
		}
		if err := move(c.entry(name), c.entry(keep)); err != nil {
			return err
		}
	}
	if err := move(c.entry(name), filepath.Join(tmp, "old")); err != nil {
		return err
	}
	return os.Rename(dir, c.entry(name))
}

// move renames what is there.
func move(from, to string) error {
	err := os.Rename(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// removeTree also removes directories that their owner may not write to.
func removeTree(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && err == nil {
			_ = os.Chmod(p, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// validName keeps names apart from paths and flags.
func validName(name string) bool {
	if name == "" || len(name) > 64 || strings.ContainsAny(name[:1], ".-_") {
		return false
	}
	return strings.TrimFunc(name, inName) == ""
}

func inName(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		strings.ContainsRune("._-", r)
}
