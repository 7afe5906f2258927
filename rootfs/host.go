package rootfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"

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

// makeHost makes a root file system from the machine's tools. The cache must
// be locked. keep names the one that the old one becomes, "" to drop it.
func (c cache) makeHost(name, keep string, progress io.Writer) error {
	start := time.Now()
	p, err := newPlan()
	if err != nil {
		return err
	}
	size := sizeOf(p.files) + kitStamp().size
	fmt.Fprintf(progress, "kit: making the %s root file system from this machine's tools "+
		"(%d tools, %d libraries, %s) ... ", name, len(p.tools), p.libraries(),
		units.HumanSizeWithPrecision(float64(size), 2))
	err = c.build(name, keep, func(dir string) (Info, error) { return p.fill(dir) })
	if err != nil {
		fmt.Fprintln(progress, "failed")
		return err
	}
	fmt.Fprintf(progress, "%.1f s\n", time.Since(start).Seconds())
	p.report(progress)
	return nil
}

// fill copies what the plan tells into dir.
func (p plan) fill(dir string) (Info, error) {
	root := filepath.Join(dir, "root")
	// The stamps come first: a file that changes while it is copied is stale.
	if err := writeSources(dir, p.sources()); err != nil {
		return Info{}, err
	}
	var size int64
	for _, file := range p.files {
		n, err := copyFile(root, file)
		if err != nil {
			return Info{}, err
		}
		size += n
	}
	if err := finish(dir); err != nil {
		return Info{}, err
	}
	arch, _ := elfdep.Arch(root, "/bin/sh")
	return Info{Size: size + kitStamp().size, Files: len(p.files), Arch: arch, From: "host"}, nil
}

// sources are the files whose change makes the root file system stale: not the
// terminfo entries and certificates.
func (p plan) sources() []string {
	data := dataFiles()
	files := slices.DeleteFunc(slices.Clone(p.files), func(file string) bool {
		return slices.Contains(data, file) || strings.Contains(file, "/terminfo/")
	})
	return append(files, p.lacks...)
}

// report tells what is not inside.
func (p plan) report(progress io.Writer) {
	names, packages := lacking(func(name string) bool { return p.have[name] })
	if len(names) > 0 {
		fmt.Fprintf(progress, "kit: not on this machine, so not inside: %s%s\n",
			strings.Join(names, ", "), install(packages))
	}
	for _, m := range p.missing {
		fmt.Fprintf(progress, "kit: not inside, for it cannot be had here: %v\n", m)
	}
}

// install is the command of Debian and its kin; others name packages otherwise.
func install(packages []string) string {
	if !exists("/usr/bin/apt") {
		return ""
	}
	return fmt.Sprintf(" (apt install %s)", strings.Join(packages, " "))
}

// oldName is what a root file system is called when a newer one has its name.
func oldName(name string) string { return name + "-old" }

// freshen makes a root file system of the machine's files, or brings it up to
// date. The cache must be locked.
func (c cache) freshen(name string, progress io.Writer) error {
	old := oldName(name)
	switch state := c.state(name); {
	case state == absent:
		return c.makeHost(name, "", progress)
	case state == current:
		return nil
	case state == disturbed:
		return c.restamp(name)
	case state == otherKit && c.recipeOf(name) == recipe():
		return writeKit(c.entry(name))
	}
	if user := c.usedBy(old); user != nil {
		fmt.Fprintf(progress, "kit: this machine's tools have changed, but %s is in use by %v, "+
			"so %s stays as it is\n", old, user, name)
		return nil
	}
	fmt.Fprintf(progress, "kit: this machine's tools have changed; what was %s is now %s\n",
		name, old)
	return c.makeHost(name, old, progress)
}
