package rootfs

import (
	"archive/tar"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// An unpacker writes the entries of a tar archive below a directory. Every
// entry's directory is opened through os.Root, which refuses a way that leads
// out, be it by "..", by an absolute path or by a symbolic link; the entry is
// then made in that directory by its last name, and never through a link of
// that name. The links themselves are kept as they are.
type unpacker struct {
	root  *os.Root
	dir   *os.File // the directory of the last entry
	at    string   // its name
	dirs  []*tar.Header
	asUID int // who unpacks; only 0 gives files away

	size    int64
	files   int
	devices int // device nodes that were left out
	image   bool
}

// unpack writes the archive that r gives below dir, which must be empty.
// Device nodes are left out: step 2 makes its own /dev.
func unpack(dir string, r io.Reader) (*unpacker, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	u := &unpacker{root: root, asUID: os.Geteuid()}
	defer u.leave()
	tail := &tailReader{r: r}
	if err := u.entries(tar.NewReader(tail)); err != nil {
		return nil, err
	}
	if !tail.whole() {
		return nil, errors.New("is cut short: the archive has no end")
	}
	switch {
	case u.image:
		return nil, hinted(errors.New("is an image with layers, not a file system"), hintImage)
	case u.files == 0:
		return nil, errors.New("is an archive without files")
	}
	return u, u.finishDirs()
}

func (u *unpacker) entries(t *tar.Reader) error {
	for first := true; ; first = false {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case first && errors.Is(err, tar.ErrHeader), first && errors.Is(err, io.ErrUnexpectedEOF):
			return hinted(errors.New("is neither a directory nor a tar archive"), hintKinds)
		case err != nil:
			return archiveError(err)
		}
		if err := u.entry(h, t); err != nil {
			return err
		}
	}
}

// archiveError puts what is wrong with an archive into words.
func archiveError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("is cut short: %w", err)
	case errors.Is(err, tar.ErrHeader), errors.Is(err, gzip.ErrHeader),
		errors.Is(err, gzip.ErrChecksum), errors.As(err, new(flate.CorruptInputError)):
		return fmt.Errorf("is damaged: %w", err)
	}
	return err
}

func (u *unpacker) entry(h *tar.Header, r io.Reader) error {
	name, err := localName(h.Name)
	if err != nil {
		return err
	}
	if name == "." && h.Typeflag != tar.TypeDir {
		return fmt.Errorf("entry %q would take the place of the root", h.Name)
	}
	h.Name = name
	if name == "manifest.json" || name == "oci-layout" {
		u.image = true
	}
	if err := u.make(h, r); err != nil {
		return entryError(name, err)
	}
	return nil
}

// localName refuses what leads out of the target by its spelling alone.
func localName(name string) (string, error) {
	if path.IsAbs(name) {
		return "", fmt.Errorf("entry %q leaves the target: its path is absolute", name)
	}
	clean := path.Clean(name)
	if !filepath.IsLocal(clean) {
		return "", fmt.Errorf("entry %q leaves the target", name)
	}
	return clean, nil
}

func entryError(name string, err error) error {
	if strings.HasSuffix(err.Error(), "path escapes from parent") {
		return fmt.Errorf("entry %q leaves the target through a symbolic link", name)
	}
	return fmt.Errorf("entry %q: %w", name, archiveError(err))
}

func (u *unpacker) make(h *tar.Header, r io.Reader) error {
	switch h.Typeflag {
	case tar.TypeXGlobalHeader:
		return nil
	case tar.TypeChar, tar.TypeBlock:
		u.devices++
		return nil
	}
	fd, base, err := u.enter(h.Name)
	if err != nil {
		return err
	}
	u.files++
	switch h.Typeflag {
	case tar.TypeDir:
		return u.makeDir(fd, base, h)
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
		return u.makeFile(fd, base, h, r)
	case tar.TypeSymlink:
		return u.makeOther(fd, base, h, func() error { return unix.Symlinkat(h.Linkname, fd, base) })
	case tar.TypeFifo:
		return u.makeOther(fd, base, h, func() error {
			return unix.Mknodat(fd, base, unix.S_IFIFO|uint32(h.Mode)&0o777, 0)
		})
	case tar.TypeLink:
		return u.makeLink(fd, base, h)
	}
	return fmt.Errorf("is of an unknown type %q", h.Typeflag)
}

// enter opens the directory that name is in, and makes it if it has no entry
// of its own.
func (u *unpacker) enter(name string) (fd int, base string, err error) {
	dir, base := path.Split(name)
	dir = path.Clean(dir)
	if u.dir != nil && u.at == dir {
		return int(u.dir.Fd()), base, nil
	}
	f, err := u.openDir(dir)
	if err != nil {
		return -1, "", err
	}
	u.leave()
	u.dir, u.at = f, dir
	return int(f.Fd()), base, nil
}

func (u *unpacker) leave() {
	if u.dir != nil {
		u.dir.Close()
		u.dir = nil
	}
}

func (u *unpacker) openDir(dir string) (*os.File, error) {
	f, err := u.root.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err := u.root.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		f, err = u.root.Open(dir)
	}
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.IsDir() {
		f.Close()
		return nil, cmp.Or(err, error(syscall.ENOTDIR))
	}
	return f, nil
}
