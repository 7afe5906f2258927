package rootfs

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/go-units"

	"github.com/containerkit/kit/internal/elfdep"
)

// makeHost makes a root file system from the machine's tools. The cache must
// be locked. keep names the one that the old one becomes, "" to drop it.
func (c cache) makeHost(name, keep string, progress io.Writer) error {
	p, err := newPlan()
	if err != nil {
		return err
	}
	size := sizeOf(p.files) + kitStamp().size
	task := begin(progress, "making the %s root file system from this machine's tools "+
		"(%d tools, %d libraries, %s)", name, len(p.tools), p.libraries(),
		units.HumanSizeWithPrecision(float64(size), 3))
	err = c.build(name, keep, func(dir string) (Info, error) { return p.fill(dir) })
	if err != nil {
		task.failed()
		return err
	}
	task.done("")
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
