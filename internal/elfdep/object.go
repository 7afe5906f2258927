package elfdep

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

var errNotELF = errors.New("no ELF file")

// An object is what the headers of an ELF file say about loading it (elf(5)).
type object struct {
	class   elf.Class
	machine elf.Machine
	interp  string   // PT_INTERP, "" for a static program or a library
	needed  []string // DT_NEEDED
	rpath   []string // DT_RPATH, which a DT_RUNPATH overrules
	runpath []string // DT_RUNPATH
}

// readObject parses the file at p. It gives errNotELF for any other file.
func readObject(p string) (*object, error) {
	f, err := open(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	o, err := parseObject(f)
	if err != nil && !errors.Is(err, errNotELF) {
		return nil, fmt.Errorf("parse %s: %w", p, err)
	}
	return o, err
}

func parseObject(r io.ReaderAt) (*object, error) {
	var magic [4]byte
	if _, err := r.ReadAt(magic[:], 0); err != nil || string(magic[:]) != elf.ELFMAG {
		return nil, errNotELF
	}
	f, err := elf.NewFile(r)
	if err != nil {
		return nil, err
	}
	o := &object{class: f.Class, machine: f.Machine}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			name, err := io.ReadAll(io.LimitReader(p.Open(), unix.PathMax))
			if err != nil {
				return nil, err
			}
			o.interp = string(bytes.TrimRight(name, "\x00"))
		}
	}
	return o, o.dynamic(f)
}

// dynamic reads the dynamic section; a static program has none.
func (o *object) dynamic(f *elf.File) (err error) {
	if o.needed, err = f.DynString(elf.DT_NEEDED); err != nil {
		return err
	}
	rpath, err := f.DynString(elf.DT_RPATH)
	if err != nil {
		return err
	}
	runpath, err := f.DynString(elf.DT_RUNPATH)
	if err != nil {
		return err
	}
	o.rpath, o.runpath = splitDirs(rpath), splitDirs(runpath)
	return nil
}

func splitDirs(lists []string) (dirs []string) {
	for _, list := range lists {
		for dir := range strings.SplitSeq(list, ":") {
			if dir != "" {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

// headSize is how much of a file the kernel looks at to tell its format
// (BINPRM_BUF_SIZE in linux/binfmts.h).
const headSize = 256

// readHead gives the first bytes of the regular file at p.
func readHead(p string) ([]byte, error) {
	f, err := open(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return head[:n], err
}

// open refuses whatever is no regular file, and does not wait for the writer
// of a FIFO.
func open(p string) (*os.File, error) {
	f, err := os.OpenFile(p, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("open %s: not a regular file", p)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
