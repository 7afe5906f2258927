package scene

import (
	"path"
	"slices"
	"strings"

	"github.com/containerkit/kit/internal/cgroup"
	"github.com/containerkit/kit/internal/procfs"
)

// cgroups adds those that the processes are in, and those above them, parents first.
func (t *taker) cgroups() {
	mounts, err := procfs.CgroupMounts()
	t.note("cgroups", err)
	for _, m := range mounts {
		dirs := map[string][]int{} // the processes that are right in it
		for _, p := range t.Processes {
			for _, g := range p.Cgroups {
				if g.Dir == "" || !strings.HasPrefix(g.Dir+"/", m.Dir+"/") {
					continue
				}
				for dir := g.Dir; ; dir = path.Dir(dir) {
					if _, known := dirs[dir]; !known {
						dirs[dir] = []int{}
					}
					if dir == m.Dir || len(dir) <= 1 {
						break
					}
				}
				dirs[g.Dir] = append(dirs[g.Dir], p.Pid)
			}
		}
		t.hierarchy(m, dirs)
	}
}

// hierarchy adds directories of one hierarchy.
func (t *taker) hierarchy(m procfs.CgroupMount, dirs map[string][]int) {
	name := "v2"
	if !m.V2 {
		name = strings.Join(m.Controllers, ",")
	}
	var sorted []string
	for dir := range dirs {
		sorted = append(sorted, dir)
	}
	slices.Sort(sorted)
	for _, dir := range sorted {
		place := cgroup.At(m, dir)
		t.Cgroups = append(t.Cgroups, Cgroup{
			Hierarchy: name, Dir: dir, Path: place.Path, Procs: dirs[dir], Limits: place.Limits(),
		})
	}
}
