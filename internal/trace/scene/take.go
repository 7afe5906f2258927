package scene

import (
	"cmp"
	"fmt"
	"os"
	"slices"

	"github.com/containerkit/kit/internal/inspect"
	"github.com/containerkit/kit/internal/procfs"
)

// A Subject is a process to look at, and the role that it has.
type Subject struct {
	Pid  int
	Role string // see Process
}

// A taker gathers one scene.
type taker struct{ Scene }

// Take looks at processes, the observer itself first: whose namespaces are the same as
// its own is known by that. What cannot be looked at is in Errors.
func Take(m Moment, subjects []Subject) *Scene {
	t := &taker{Scene{
		Moment: m, Processes: []Process{}, Mounts: []Mounts{}, Cgroups: []Cgroup{},
		Networks: []Network{}, Errors: []string{},
	}}
	for _, s := range subjects {
		t.process(s)
	}
	for i := range t.Processes {
		p := &t.Processes[i]
		t.mounts(p)
		t.network(p)
	}
	t.cgroups()
	t.pairs()
	slices.SortStableFunc(t.Processes, func(a, b Process) int { return cmp.Compare(a.Pid, b.Pid) })
	return &t.Scene
}

// note remembers what could not be looked at.
func (t *taker) note(what string, err error) {
	if err != nil {
		t.Errors = append(t.Errors, fmt.Sprintf("%s: %v", what, err))
	}
}

// process adds a process. One that has ended meanwhile is not there.
func (t *taker) process(s Subject) {
	r, err := inspect.Process(s.Pid)
	if err != nil {
		return
	}
	p := Process{Role: s.Role, Report: r}
	if stat, err := procfs.ReadStatus(s.Pid); err == nil {
		p.Parent = stat.PPid
	}
	t.Processes = append(t.Processes, p)
}

// namespace is the link of one of a process's namespaces, "net:[4026531840]", and ""
// where it may not be read.
func (p *Process) namespace(kind string) string {
	link, _ := os.Readlink(procfs.Path(p.Pid, "ns/"+kind))
	return link
}
