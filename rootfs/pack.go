package rootfs

import (
	"archive/tar"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// pack writes the directory as a tar archive, so that a directory is imported
// by the way of archives. Sockets and what is mounted below it stay behind.
func pack(w io.Writer, dir string) error {
	p := &packer{tar: tar.NewWriter(w), dir: dir, linked: map[uint64]string{}}
	info, err := os.Stat(dir)
	if err != nil {
		return pathCause(err)
	}
	p.device = info.Sys().(*syscall.Stat_t).Dev
	if err := filepath.WalkDir(dir, p.add); err != nil {
		return err
	}
	return p.tar.Close()
}

type packer struct {
	tar    *tar.Writer
	dir    string
	device uint64
	linked map[uint64]string // the first name of a file with several, by inode
}

func (p *packer) add(name string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	info, err := d.Info()
	if err != nil || info.Mode()&fs.ModeSocket != 0 {
		return err
	}
	st := info.Sys().(*syscall.Stat_t)
	if st.Dev != p.device {
		return fs.SkipDir
	}
	h, err := p.header(name, info, st)
	if err != nil {
		return err
	}
	if err := p.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(p.tar, f)
	return cmp.Or(err, f.Close())
}

func (p *packer) header(name string, info fs.FileInfo, st *syscall.Stat_t) (*tar.Header, error) {
	target := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		var err error
		if target, err = os.Readlink(name); err != nil {
			return nil, err
		}
	}
	h, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", name, err)
	}
	if h.Name, err = filepath.Rel(p.dir, name); err != nil {
		return nil, err
	}
	h.Uname, h.Gname = "", ""
	first, again := p.linked[st.Ino]
	switch {
	case st.Nlink < 2 || !info.Mode().IsRegular():
	case again:
		h.Typeflag, h.Linkname, h.Size = tar.TypeLink, first, 0
	default:
		p.linked[st.Ino] = h.Name
	}
	return h, nil
}
