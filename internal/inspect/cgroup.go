package inspect

import (
	"slices"

	"github.com/containerkit/kit/internal/cgroup"
	"github.com/containerkit/kit/internal/procfs"
)

// A Cgroup is where the process is in one hierarchy (cgroups(7)).
type Cgroup struct {
	Version     int            `json:"version"`     // 1 or 2
	Controllers []string       `json:"controllers"` // v1: of the hierarchy; v2: enabled in this cgroup
	Path        string         `json:"path"`        // from the root of your cgroup namespace
	Dir         string         `json:"dir"`         // where you find it, "" if nowhere
	Limits      []cgroup.Limit `json:"limits"`      // of memory, cpu and pids, where it has them
}

func (r *Report) addCgroups() {
	r.Cgroups = []Cgroup{}
	var err error
	r.CgroupMode, err = procfs.CgroupMode()
	r.note("cgroup_mode", err)
	mounts, err := procfs.CgroupMounts()
	r.note("cgroups.dir", err)
	list, err := procfs.Cgroups(r.Pid)
	r.note("cgroups", err)
	for _, c := range list {
		r.Cgroups = append(r.Cgroups, find(c, mounts))
	}
	r.addCPUUse()
}

// addCPUUse looks for the CPU time where v1 counts it in a hierarchy of its own.
func (r *Report) addCPUUse() {
	for _, counter := range r.Cgroups {
		if counter.Dir == "" || !slices.Equal(counter.Controllers, []string{"cpuacct"}) {
			continue
		}
		for _, g := range r.Cgroups {
			for i := range g.Limits {
				g.Limits[i].AddCPUUse(counter.Dir)
			}
		}
	}
}

// find finds the directory of a cgroup and reads what is limited there.
func find(c procfs.Cgroup, mounts []procfs.CgroupMount) Cgroup {
	g := Cgroup{Version: 1, Controllers: c.Controllers, Path: c.Path, Limits: []cgroup.Limit{}}
	if c.V2() {
		g.Version = 2
	}
	for _, m := range mounts {
		if dir, ok := m.CgroupDir(c); ok && m.Holds(c) {
			p := cgroup.At(m, dir)
			g.Dir, g.Controllers, g.Limits = dir, p.Controllers, p.Limits()
			break
		}
	}
	if g.Controllers == nil {
		g.Controllers = []string{}
	}
	return g
}
