// Package cgroup reads what the processes of cgroups use, may use and wait for, and
// freezes them. It knows the files of cgroup v2 and those of v1; a container has a
// directory in the one hierarchy of v2, in several of v1, or in both kinds.
package cgroup

import (
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/containerkit/kit/internal/procfs"
)

// A Place is where a cgroup is in one hierarchy.
type Place struct {
	Dir         string   // its directory
	Top         string   // the directory at which the hierarchy is mounted
	Path        string   // of the cgroup, from the root of the reader's cgroup namespace
	V2          bool     // cgroup v2
	Controllers []string // v1: of the hierarchy; v2: enabled in this cgroup
}

// At returns the place of a directory of the hierarchy m.
func At(m procfs.CgroupMount, dir string) Place {
	p := Place{Dir: dir, Top: m.Dir, V2: m.V2, Controllers: m.Controllers}
	p.Path = path.Join("/", m.Root, strings.TrimPrefix(dir, m.Dir))
	if p.V2 {
		text, _ := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
		p.Controllers = strings.Fields(string(text))
	}
	return p
}

// places finds directories in the hierarchies that are mounted. One that is in none
// is left out.
func places(dirs []string) ([]Place, error) {
	mounts, err := procfs.CgroupMounts()
	if err != nil {
		return nil, err
	}
	var list []Place
	for _, dir := range dirs {
		for _, m := range mounts {
			if strings.HasPrefix(dir+"/", m.Dir+"/") {
				list = append(list, At(m, dir))
				break
			}
		}
	}
	return list, nil
}

// upwards yields a cgroup's directory and those above it up to the top, with the
// path that each has.
func (p Place) upwards() func(yield func(dir, path string) bool) {
	return func(yield func(dir, path string) bool) {
		dir, at := p.Dir, p.Path
		for yield(dir, at) && dir != p.Top && len(dir) > 1 {
			dir, at = path.Dir(dir), path.Dir(at)
		}
	}
}
