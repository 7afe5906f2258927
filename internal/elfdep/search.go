package elfdep

import (
	"bufio"
	"debug/elf"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// A loadedObject is a program or library in the order of loading.
type loadedObject struct {
	*object
	path  string   // as it was asked for
	file  string   // the same, free of symbolic links
	rpath []string // DT_RPATH of those that led to it
}

// inherited is the DT_RPATH that counts for the libraries of this object's
// libraries as well.
func (o loadedObject) inherited() []string {
	if o.object == nil {
		return o.rpath
	}
	return append(o.origin(o.object.rpath), o.rpath...)
}

// origin puts the object's own directory for $ORIGIN. A program's is that of
// the file, a library's that of the path it was found by.
func (o loadedObject) origin(dirs []string) (out []string) {
	for _, dir := range dirs {
		for _, own := range []string{path.Dir(o.file), path.Dir(o.path)} {
			d := strings.ReplaceAll(dir, "${ORIGIN}", own)
			d = strings.ReplaceAll(d, "$ORIGIN", own)
			out = append(out, d)
			if d == dir {
				break
			}
		}
	}
	return out
}

// A soname names a library for one kind of program.
type soname struct {
	name    string
	class   elf.Class
	machine elf.Machine
}

// search gives the path of a library, "" for none, in the order of ld.so(8).
func (l *linker) search(lib string, by loadedObject) string {
	if by.object == nil {
		return ""
	}
	want := soname{lib, by.class, by.machine}
	if strings.Contains(lib, "/") {
		return l.first([]string{path.Dir(lib)}, want)
	}
	if len(by.runpath) == 0 {
		if p := l.first(by.inherited(), want); p != "" {
			return p
		}
	}
	if p := l.first(by.origin(by.runpath), want); p != "" {
		return p
	}
	if p, ok := l.found[want]; ok {
		return p
	}
	p := l.first(append(l.dirs, defaultDirs(want.machine)...), want)
	l.found[want] = p
	return p
}

// first gives the library in the first of dirs that has one of the right kind.
func (l *linker) first(dirs []string, want soname) string {
	for _, dir := range dirs {
		p := path.Join(dir, path.Base(want.name))
		file, err := Resolve(l.root, p)
		if err != nil {
			continue
		}
		o := l.object(file)
		if o != nil && o.class == want.class && o.machine == want.machine {
			return p
		}
	}
	return ""
}

// defaultDirs are those that distributions compile into ld.so.
func defaultDirs(m elf.Machine) []string {
	dirs := []string{"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"}
	if t := triplet(m); t != "" {
		dirs = append(dirs, "/lib/"+t, "/usr/lib/"+t)
	}
	return dirs
}

// triplet names Debian's library directory of an architecture.
func triplet(m elf.Machine) string {
	switch m {
	case elf.EM_X86_64:
		return "x86_64-linux-gnu"
	case elf.EM_AARCH64:
		return "aarch64-linux-gnu"
	case elf.EM_386:
		return "i386-linux-gnu"
	case elf.EM_ARM:
		return "arm-linux-gnueabihf"
	case elf.EM_RISCV:
		return "riscv64-linux-gnu"
	}
	return ""
}

// configuredDirs are the directories of /etc/ld.so.conf (ldconfig(8)).
func configuredDirs(root string) []string {
	return readConf(root, "/etc/ld.so.conf", 0)
}

// readConf follows includes, but not in a circle.
func readConf(root, name string, depth int) (dirs []string) {
	file, err := Resolve(root, name)
	if err != nil || depth > 5 {
		return nil
	}
	f, err := os.Open(root + file)
	if err != nil {
		return nil
	}
	defer f.Close()
	dirs, includes := parseConf(f)
	for _, pattern := range includes {
		if !path.IsAbs(pattern) {
			pattern = path.Join(path.Dir(name), pattern)
		}
		names, _ := filepath.Glob(root + pattern)
		for _, n := range names {
			dirs = append(dirs, readConf(root, strings.TrimPrefix(n, root), depth+1)...)
		}
	}
	return dirs
}

// parseConf reads a file like /etc/ld.so.conf.
func parseConf(r io.Reader) (dirs, includes []string) {
	for s := bufio.NewScanner(r); s.Scan(); {
		line, _, _ := strings.Cut(s.Text(), "#")
		fields := strings.Fields(line)
		switch {
		case len(fields) > 1 && fields[0] == "include":
			includes = append(includes, fields[1:]...)
		case len(fields) == 1 && path.IsAbs(fields[0]):
			dirs = append(dirs, path.Clean(fields[0]))
		}
	}
	return dirs, includes
}
