// Package elfdep finds what a program needs before it can start: the
// interpreter of a script, the ELF interpreter and the shared libraries.
//
// All paths are those a process sees whose root is the given directory, so an
// absolute symbolic link leads to a file below it (path_resolution(7)). The
// search for libraries follows ld.so(8), without LD_LIBRARY_PATH.
package elfdep

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
)

// A Missing is a file that was asked for or is needed, and cannot be had.
type Missing struct {
	Name     string // a path, or the bare name of a library
	NeededBy string // the program or library, "" for what was asked for
	Err      error
}

func (m Missing) String() string {
	if m.NeededBy == "" {
		return m.Name
	}
	return fmt.Sprintf("%s (needed by %s)", m.Name, m.NeededBy)
}

// Closure gives every file and symbolic link below root that the programs at
// paths need, those at paths included, each once. Their own directories are
// free of symbolic links: for /bin/sh it gives /bin, /usr/bin/sh and
// /usr/bin/dash where the first two are links. Files that are no programs are
// taken as they are. It fails only when root cannot be read.
func Closure(root string, paths []string) (files []string, missing []Missing, err error) {
	if _, err := os.ReadDir(root); err != nil {
		return nil, nil, err
	}
	l := newLinker(root)
	for _, p := range paths {
		l.program(p, "")
	}
	return l.files, l.missing, nil
}

// A linker does what ld.so(8) does before main, and only writes it down.
type linker struct {
	root    string
	dirs    []string // of /etc/ld.so.conf
	files   []string
	missing []Missing
	taken   map[string]bool    // what files holds
	lost    map[Missing]bool   // what missing holds, without Err
	done    map[string]bool    // the programs looked at
	objects map[string]*object // by path, nil for what is no ELF file
	found   map[soname]string  // libraries of the default directories, "" for none
}

func newLinker(root string) *linker {
	return &linker{
		root:    root,
		dirs:    configuredDirs(root),
		taken:   map[string]bool{},
		lost:    map[Missing]bool{},
		done:    map[string]bool{},
		objects: map[string]*object{},
		found:   map[soname]string{},
	}
}

// program takes the file at p and whatever it needs to start.
func (l *linker) program(p, neededBy string) {
	if l.done[p] {
		return
	}
	l.done[p] = true
	file, err := l.take(p)
	if err != nil {
		l.miss(p, neededBy, err)
		return
	}
	head, err := readHead(l.root + file)
	if err != nil {
		l.drop(file)
		l.miss(p, neededBy, err)
		return
	}
	if line, ok := parseScript(head); ok {
		for _, needed := range line.programs(l.root) {
			l.program(needed, p)
		}
		return
	}
	l.libraries(p, file)
}

// libraries takes the ELF interpreter of a program and, breadth first, the
// libraries.
func (l *linker) libraries(name, file string) {
	o := l.object(file)
	if o == nil {
		return
	}
	if o.interp != "" {
		l.program(o.interp, name)
	}
	loaded := map[string]bool{path.Base(o.interp): true}
	queue := []loadedObject{{object: o, path: name, file: file}}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, lib := range queue[0].needed {
			if loaded[lib] {
				continue
			}
			loaded[lib] = true
			if next, ok := l.load(lib, queue[0]); ok {
				queue = append(queue, next)
			}
		}
	}
}

// load takes the library that by asks for.
func (l *linker) load(lib string, by loadedObject) (loadedObject, bool) {
	p := l.search(lib, by)
	if p == "" {
		l.miss(lib, by.path, fs.ErrNotExist)
		return loadedObject{}, false
	}
	file, err := l.take(p)
	if err != nil {
		l.miss(lib, by.path, err)
		return loadedObject{}, false
	}
	return loadedObject{object: l.object(file), path: p, file: file, rpath: by.inherited()}, true
}

// take puts the file at p and the links on the way to it on the list.
func (l *linker) take(p string) (file string, err error) {
	links, file, err := resolve(l.root, p)
	if err != nil {
		return "", err
	}
	for _, name := range append(links, file) {
		if !l.taken[name] {
			l.taken[name] = true
			l.files = append(l.files, name)
		}
	}
	return file, nil
}

// drop takes back the file that was taken last.
func (l *linker) drop(file string) {
	if last := len(l.files) - 1; last >= 0 && l.files[last] == file {
		l.files = l.files[:last]
		delete(l.taken, file)
	}
}

func (l *linker) miss(name, neededBy string, err error) {
	m := Missing{Name: name, NeededBy: neededBy}
	if l.lost[m] {
		return
	}
	l.lost[m] = true
	m.Err = err
	l.missing = append(l.missing, m)
}

// object parses the file once; nil means it is no ELF file.
func (l *linker) object(file string) *object {
	if o, ok := l.objects[file]; ok {
		return o
	}
	o, err := readObject(l.root + file)
	if err != nil && !errors.Is(err, errNotELF) {
		l.miss(file, "", err)
	}
	l.objects[file] = o
	return o
}
