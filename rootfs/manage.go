package rootfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// What Make makes from.
const (
	FromHost    = "host"    // the machine's tools
	FromBusybox = "busybox" // the machine's static busybox
)

// List gives the root file systems of the cache by name. Without a cache there
// are none.
func List() ([]Info, error) {
	c, err := findCache()
	if err != nil {
		return nil, wrap("ls", err)
	}
	infos, err := c.list()
	return infos, wrap("ls", err)
}

// Make makes a root file system named name, "" for default or busybox, from
// what from tells.
func Make(from, name string, progress io.Writer) (Info, error) {
	if name == "" {
		name = map[string]string{FromHost: DefaultName}[from]
	}
	if name == "" {
		name = from
	}
	return change(name, progress, func(c cache) error {
		if err := c.mustBeNew(name); err != nil {
			return err
		}
		switch from {
		case FromHost:
			return c.makeHost(name, "", progress)
		case FromBusybox:
			if err := c.mustBeFree(name); err != nil {
				return err
			}
			return c.makeBusybox(name, progress)
		}
		return fmt.Errorf("made from %q: only %s and %s are known", from, FromHost, FromBusybox)
	})
}

// Import makes a root file system from a tar archive, from a directory, or,
// when src is "-", from the archive that stdin gives. name may be "" for one
// made from src.
func Import(src, name string, stdin io.Reader, progress io.Writer) (Info, error) {
	if name == "" {
		name = stem(src)
	}
	if name == "-" {
		return Info{}, wrap("-", errors.New("an archive from stdin needs a --name"))
	}
	return change(name, progress, func(c cache) error {
		if err := c.mustBeFree(name); err != nil {
			return err
		}
		if src == "-" {
			return c.importFrom(name, "stdin", stdin, progress, func(*Info) {})
		}
		info, err := os.Stat(src)
		switch {
		case err != nil:
			return &Error{Path: src, Err: pathCause(err), Hints: []string{hintKinds}}
		case info.IsDir():
			return wrap(src, c.importDir(name, src, progress))
		}
		digest, err := digestOf(src)
		if err != nil {
			return wrap(src, err)
		}
		return wrap(src, c.importFile(name, src, digest, progress))
	})
}

// importDir packs and unpacks at once.
func (c cache) importDir(name, dir string, progress io.Writer) error {
	abs, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return pathCause(err)
	}
	if err := check(abs); err != nil {
		return err
	}
	r, w := io.Pipe()
	defer r.Close()
	go func() { w.CloseWithError(pack(w, abs)) }()
	return c.importFrom(name, dir, r, progress, func(*Info) {})
}

// Remove removes a root file system that nobody uses.
func Remove(name string) error {
	_, err := change(name, io.Discard, func(c cache) error {
		if err := c.mustBeIdle(name); err != nil {
			return err
		}
		tmp, err := os.MkdirTemp(c.dir, "tmp-")
		if err != nil {
			return err
		}
		if err := os.Rename(c.entry(name), filepath.Join(tmp, "old")); err != nil {
			return err
		}
		return gone(tmp)
	})
	return err
}

// Reset brings a root file system back to what it was when it was made: the
// archive it came from is kept beside it and unpacked again, and one from the
// machine's tools is made anew. Nobody may be using it.
func Reset(name string, progress io.Writer) error {
	if name == "" {
		name = DefaultName
	}
	_, err := change(name, progress, func(c cache) error {
		if !exists(c.entry(name)) && name == DefaultName {
			return c.makeHost(name, "", progress)
		}
		if err := c.mustBeIdle(name); err != nil {
			return err
		}
		info, err := c.info(name)
		if err != nil {
			return err
		}
		switch info.From {
		case FromHost:
			return c.makeHost(name, "", progress)
		case FromBusybox:
			return c.makeBusybox(name, progress)
		}
		return c.restore(name)
	})
	return err
}

// gone removes what is no longer in its place. Without root, files may belong to
// subordinate ids, which only a user namespace that maps them can remove.
func gone(dir string) error {
	err := removeTree(dir)
	if errors.Is(err, fs.ErrPermission) {
		return hinted(err, "if containers with subordinate ids wrote it: "+
			"unshare --map-auto --map-root-user rm -rf "+dir)
	}
	return err
}

// change runs do with the cache locked and gives what is there then.
func change(name string, progress io.Writer, do func(cache) error) (Info, error) {
	if !validName(name) {
		return Info{}, wrap(name, hinted(errors.New("is no name for a root file system"),
			"a name is made of letters, digits, dots, dashes and underscores; --name gives one"))
	}
	c, err := findCache()
	if err != nil {
		return Info{}, wrap(name, err)
	}
	unlock, err := c.lock(progress)
	if err != nil {
		return Info{}, wrap(name, err)
	}
	defer unlock()
	if err := do(c); err != nil {
		return Info{}, wrap(name, err)
	}
	info, _ := c.info(name)
	return info, nil
}

func (c cache) mustBeNew(name string) error {
	if exists(c.entry(name)) {
		return hinted(errors.New("is there already"),
			"kit rootfs reset "+name+" makes it anew, kit rootfs rm "+name+" removes it, "+
				"--name takes another name")
	}
	return nil
}

// mustBeFree keeps the names of the default one for it.
func (c cache) mustBeFree(name string) error {
	if name == DefaultName || name == oldName(DefaultName) {
		return hinted(errors.New("is the name of the one made from this machine's tools"),
			"--name takes another name")
	}
	return c.mustBeNew(name)
}

func (c cache) mustBeIdle(name string) error {
	if !exists(c.entry(name)) {
		return hinted(errors.New("there is none of that name"), "kit rootfs ls shows the names")
	}
	if user := c.usedBy(name); user != nil {
		return hinted(fmt.Errorf("is in use by %v", user), "stop the container first")
	}
	return nil
}
