package check

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/docker/go-units"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/cgroup"
	"github.com/containerkit/kit/internal/procfs"
)

// cgroupExercises are those of step 3: cgroups with limits.
func cgroupExercises() []exercise {
	ns := ownNamespace(3, "cgroup", 1)
	ns.name = "cgroup-ns"
	return []exercise{
		{
			3, "cgroup", "a cgroup of its own", 3, (*process).checkGroup,
			"Which cgroup is it in, and who else? cat /proc/{pid}/cgroup /proc/self/cgroup",
			"A cgroup is a directory on a cgroup file system (stat -f -c %T tells cgroup2fs), and a " +
				"process moves when its number is written to cgroup.procs (cgroups(7)). A child is " +
				"born in the cgroup of its parent: move the child, not who starts it.",
		},
		ns,
		{
			3, "memory", "a limit on memory, less than the machine's", 2, limited("memory"),
			"How much may it have before somebody stops it? kit inspect {pid}",
			"What is above memory.max (v1: memory.limit_in_bytes) is reclaimed, and where that does " +
				"not help the OOM killer acts (cgroup-v2.rst).",
		},
		{
			3, "swap", "no way around it by swap", 1, (*process).checkSwap,
			"Where do pages go that are above the limit?",
			"The limit on memory counts what is in memory: what is swapped out does not count. " +
				"memory.swap.max does (v1: memory.memsw.limit_in_bytes, both together).",
		},
		{
			3, "pids", "a limit on processes", 2, limited("pids"),
			"What does a fork bomb in there do to you? kit inspect {pid}",
			"pids.max counts processes and threads of the cgroup: above it fork fails with EAGAIN " +
				"(cgroup-v2.rst).",
		},
		{
			3, "cpu", "a quota of CPU time, less than all CPUs", 1, limited("cpu"),
			"What does a busy loop in there leave to you? kit inspect {pid}",
			"cpu.max is how many microseconds of CPU time there are in each period, for all threads " +
				"together (v1: cpu.cfs_quota_us and cpu.cfs_period_us).",
		},
	}
}

// A group is where the process is in one hierarchy.
type group struct {
	procfs.Cgroup
	place   cgroup.Place // no Dir where the hierarchy is not mounted here
	outside []string     // where those are that belong to the host
}

// groups are those of all hierarchies.
type groups struct{ list []group }

// own tells that a cgroup holds none of the host's processes, in it or in one below.
func (g group) own(at string) bool {
	return !slices.ContainsFunc(g.outside, func(o string) bool { return below(o, at) })
}

// name is that of the hierarchy.
func (g group) name() string {
	if g.V2() {
		return "v2"
	}
	return "v1 " + strings.Join(g.Controllers, ",")
}

// cgroups finds where the process is, once.
func (p *process) cgroups() (*groups, error) {
	if p.groups == nil && p.groupsErr == nil {
		p.groups, p.groupsErr = p.findGroups()
	}
	return p.groups, p.groupsErr
}

func (p *process) findGroups() (*groups, error) {
	// The file systems count, by their magic numbers, and not what a directory is called.
	mounts, err := procfs.CgroupMounts()
	if err != nil {
		return nil, err
	}
	theirs, err := procfs.Cgroups(p.pid)
	if err != nil {
		return nil, err
	}
	outside := p.outside()
	found := &groups{}
	for _, c := range theirs {
		g := group{Cgroup: c}
		for _, m := range mounts {
			if dir, ok := m.CgroupDir(c); ok && m.Holds(c) {
				g.place = cgroup.At(m, dir)
				break
			}
		}
		for _, pid := range outside {
			g.outside = append(g.outside, pathIn(pid, c))
		}
		found.list = append(found.list, g)
	}
	return found, nil
}

// pathIn is where another process is in the same hierarchy.
func pathIn(pid int, c procfs.Cgroup) string {
	list, _ := procfs.Cgroups(pid)
	for _, o := range list {
		if o.Hierarchy == c.Hierarchy {
			return o.Path
		}
	}
	return "/"
}

// outside are processes that are not the container's: the checker, the first one, and those
// that the process descends from, as long as they have the checker's root.
func (p *process) outside() []int {
	list := []int{os.Getpid(), 1}
	for pid := p.pid; ; {
		s, err := procfs.ReadStatus(pid)
		if err != nil || s.PPid <= 1 {
			return list
		}
		pid = s.PPid
		root, err := placeAt(procfs.Path(pid, "root/."))
		if err != nil || root.sameFile(p.myRoot) {
			list = append(list, pid)
		}
	}
}

// limiting are hierarchies that can limit something.
func (g group) limiting() bool {
	return g.V2() || slices.ContainsFunc(g.Controllers, func(c string) bool {
		return c == "memory" || c == "pids" || c == "cpu"
	})
}

func (p *process) checkGroup() verdict {
	found, err := p.cgroups()
	if err != nil {
		return unknown(err)
	}
	var own, shared []string
	for _, g := range found.list {
		switch {
		case !g.limiting():
		case g.own(g.Path):
			own = append(own, g.String())
		default:
			shared = append(shared, g.String())
		}
	}
	if len(own) > 0 {
		return yes("%s", strings.Join(own, " "))
	}
	at := strings.Join(shared, " ")
	call := fmt.Sprintf("It is in %s: mkdir a new one on the cgroup file system, and write %d to its "+
		"cgroup.procs.", at, p.pid)
	return no("it is in one with processes of the host: "+at, call+p.plainDirectory())
}

// plainDirectory warns of files in what only looks like a cgroup file system inside.
func (p *process) plainDirectory() string {
	fd, err := p.beneath("sys/fs/cgroup")
	if err != nil || !p.ownRoot() {
		return ""
	}
	defer unix.Close(fd)
	var fs unix.Statfs_t
	if unix.Fstatfs(fd, &fs) != nil {
		return ""
	}
	switch fs.Type {
	case unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.SYSFS_MAGIC:
		return ""
	}
	return fmt.Sprintf(" /sys/fs/cgroup inside is a plain directory (type %#x): what is written "+
		"there limits nothing.", fs.Type)
}

// holding is the group whose hierarchy has a controller, nil where none has that is mounted.
func (g *groups) holding(controller string) *group {
	for i := range g.list {
		at := &g.list[i]
		if at.place.Dir != "" && slices.Contains(at.place.Controllers, controller) {
			return at
		}
	}
	// Where v2 has not enabled it, the process is still to be limited there.
	for i := range g.list {
		at := &g.list[i]
		if at.V2() && at.place.Dir != "" {
			return at
		}
	}
	return nil
}

// limited judges by the limit on a resource that holds for the process, where its own cgroup
// sets it or one above that is the container's too.
func limited(resource string) func(*process) verdict {
	return func(p *process) verdict {
		g, l, v := p.limit(resource)
		if l == nil {
			return v
		}
		file := filepath.Join(g.place.Dir, l.File)
		call := fmt.Sprintf("Write %s to %s.", enough(resource, l.File), file)
		set := fmt.Sprintf("%s of %s", l.File, l.SetAt)
		switch {
		case l.Error != "":
			return hidden(l.Error)
		case l.Limit == nil:
			return no("no limit in "+file, call)
		case !g.own(l.SetAt):
			return no(fmt.Sprintf("%s, by %s, which is the host's", amount(resource, *l.Limit), set), call)
		case *l.Limit >= most(resource):
			return no(fmt.Sprintf("%s, by %s: the machine has no more", amount(resource, *l.Limit), set),
				call)
		}
		return yes("%s, by %s", amount(resource, *l.Limit), set)
	}
}

// enough is a limit to try.
func enough(resource, file string) string {
	switch {
	case resource == "memory":
		return "67108864 (64 MiB)"
	case resource == "pids":
		return "64"
	case file == "cpu.max":
		return `"20000 100000"`
	}
	return "20000 (of the 100000 in cpu.cfs_period_us)"
}

// limit finds the group that limits a resource and the limit, or the verdict for none.
func (p *process) limit(resource string) (*group, *cgroup.Limit, verdict) {
	found, err := p.cgroups()
	if err != nil {
		return nil, nil, unknown(err)
	}
	g := found.holding(resource)
	if g == nil {
		return nil, nil, no("no cgroup file system with the "+resource+" controller is mounted here",
			`mount("none", "/sys/fs/cgroup", "cgroup2", 0, "") where you check and set limits.`)
	}
	if !g.own(g.Path) {
		return nil, nil, no(fmt.Sprintf("its cgroup %s (%s) is the host's too", g.Path, g.name()),
			fmt.Sprintf("mkdir a cgroup below %s, write the limit to its %s file, and then %d to its "+
				"cgroup.procs.", g.place.Dir, resource, p.pid)).unless("a cgroup of its own")
	}
	for _, l := range g.place.Limits() {
		if l.Resource == resource {
			return g, &l, verdict{}
		}
	}
	parent := filepath.Dir(g.place.Dir)
	enabled, _ := os.ReadFile(filepath.Join(parent, "cgroup.subtree_control"))
	v := no(fmt.Sprintf("%s has no files of the %s controller", g.place.Dir, resource),
		fmt.Sprintf("%s/cgroup.subtree_control is %q: write +%s to it, and the same in each above it.",
			parent, strings.TrimSpace(string(enabled)), resource))
	v.page = "In v2 a cgroup has the controllers that its parent hands on in " +
		"cgroup.subtree_control, from the top down. One that hands on may hold no processes " +
		"itself (cgroups(7))."
	return nil, nil, v
}

// most is what the machine has of a resource.
func most(resource string) float64 {
	switch resource {
	case "memory":
		var s unix.Sysinfo_t
		if unix.Sysinfo(&s) == nil {
			return float64(s.Totalram) * float64(s.Unit)
		}
	case "cpu":
		return float64(runtime.NumCPU())
	}
	return 1 << 22 // as many as there can be PIDs (proc_sys_kernel(5), pid_max)
}

func amount(resource string, n float64) string {
	switch resource {
	case "memory":
		return units.BytesSize(n)
	case "cpu":
		return fmt.Sprintf("%.3g of %d CPUs", n, runtime.NumCPU())
	}
	return fmt.Sprintf("%.0f tasks", n)
}

// checkSwap looks whether what is above the limit on memory can go to the disk.
func (p *process) checkSwap() verdict {
	g, l, v := p.limit("memory")
	if l == nil {
		return v
	}
	name, want := "memory.swap.max", "0"
	if !g.V2() {
		name, want = "memory.memsw.limit_in_bytes", "as much as to memory.limit_in_bytes"
	}
	// Beside the limit on memory, which a cgroup above may have set.
	dir := g.place.Dir
	if l.SetAt != "" {
		dir = strings.TrimSuffix(dir, strings.TrimPrefix(g.place.Path, l.SetAt))
	}
	file := filepath.Join(dir, name)
	call := fmt.Sprintf("Write %s to %s, behind the limit on memory.", want, file)
	if l.Limit == nil || !g.own(l.SetAt) {
		return no("no limit on memory: nothing to get around", call).unless("a limit on memory")
	}
	if !g.V2() {
		want = fmt.Sprintf("%.0f", *l.Limit)
	}
	text, err := os.ReadFile(file)
	got := strings.TrimSpace(string(text))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return noSwapFile(file)
	case err != nil:
		return unknown(err)
	case got == want:
		return yes("%s is %s", file, got)
	}
	return no(fmt.Sprintf("%s is %s", file, got), call)
}

// noSwapFile is the verdict where the kernel counts no swap.
func noSwapFile(file string) verdict {
	var s unix.Sysinfo_t
	if err := unix.Sysinfo(&s); err != nil {
		return unknown(err)
	}
	if s.Totalswap == 0 {
		return yes("the machine has no swap, and the kernel does not count it")
	}
	return no("the kernel does not count swap: there is no "+file,
		fmt.Sprintf("%d MiB of swap are open to it: swapoff -a, or start the kernel with "+
			"swapaccount=1.", s.Totalswap*uint64(s.Unit)>>20))
}
