package rootfs

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerkit/kit/internal/elfdep"
)

// A plan is what the machine has of the tools and of what they need.
type plan struct {
	tools   []string // their paths
	lacks   []string // paths where a tool would be
	files   []string // links and files, by elfdep.Closure
	missing []elfdep.Missing
	have    map[string]bool // the tools' names
}

// newPlan looks at the machine, and changes nothing.
func newPlan() (plan, error) {
	p := plan{have: map[string]bool{}}
	dirs := binDirs()
	for _, name := range toolNames() {
		if tool := find(dirs, name); tool != "" {
			p.tools = append(p.tools, tool)
			p.have[name] = true
			continue
		}
		for _, dir := range dirs {
			p.lacks = append(p.lacks, path.Join(dir, name))
		}
	}
	if !p.have["sh"] {
		return plan{}, hinted(errors.New("this machine has no /bin/sh to make it from"),
			"kit rootfs import FILE.tar takes one from elsewhere")
	}
	paths := slices.Concat(mergedLinks(), p.tools, dataFiles())
	var err error
	p.files, p.missing, err = elfdep.Closure("/", paths)
	p.missing = slices.DeleteFunc(p.missing, func(m elfdep.Missing) bool {
		return slices.Contains(paths, m.Name) && !slices.Contains(p.tools, m.Name)
	})
	return p, err
}

// binDirs are the directories of the system's programs, each once where they
// are links to one another.
func binDirs() (dirs []string) {
	for _, dir := range []string{"/usr/bin", "/usr/sbin", "/bin", "/sbin"} {
		dir, err := filepath.EvalSymlinks(dir)
		if err == nil && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// find gives the path of an executable that kit can read, "" for none.
func find(dirs []string, name string) string {
	for _, dir := range dirs {
		p := path.Join(dir, name)
		info, err := os.Stat(p)
		if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 && readable(p) {
			return p
		}
	}
	return ""
}

func readable(p string) bool {
	f, err := os.Open(p)
	if err == nil {
		f.Close()
	}
	return err == nil
}

// mergedLinks are the machine's /bin -> usr/bin and the like: programs name
// their interpreters by either path.
func mergedLinks() (links []string) {
	for _, p := range []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/usr/sbin"} {
		if info, err := os.Lstat(p); err == nil && info.Mode()&os.ModeSymlink != 0 {
			links = append(links, p)
		}
	}
	return links
}

// terminals are those whose terminfo(5) entry comes along.
const terminals = "alacritty ansi dumb foot linux rxvt rxvt-unicode rxvt-unicode-256color " +
	"screen screen-256color tmux tmux-256color vt100 vt102 vt220 xterm xterm-256color " +
	"xterm-color xterm-ghostty xterm-kitty xterm-mono"

// dataFiles are what programs read besides their libraries: terminfo entries
// and the public certificates.
func dataFiles() (files []string) {
	for name := range strings.FieldsSeq(terminals) {
		for _, dir := range []string{"/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo"} {
			p := path.Join(dir, name[:1], name)
			if readable(p) {
				files = append(files, p)
			}
		}
	}
	for _, p := range []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"} {
		if readable(p) {
			files = append(files, p)
		}
	}
	return files
}

// libraries counts the shared objects of the plan.
func (p plan) libraries() (n int) {
	for _, file := range p.files {
		info, err := os.Lstat(file)
		if err == nil && info.Mode().IsRegular() && strings.Contains(path.Base(file), ".so") {
			n++
		}
	}
	return n
}
