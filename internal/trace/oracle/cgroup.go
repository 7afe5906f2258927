package oracle

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/state"
)

// A group is a cgroup or one of its files, as a call has it.
type group struct {
	dir, file string // file is "" where the call is about the cgroup itself
	at        string // the directory, in our /proc
	h         state.Hierarchy
}

// cgroup is the one that the call is about.
func (c *Call) cgroup() (g group, ok bool) {
	if c.index("buf") >= 0 { // write(2)
		link := c.proc("fd/" + strconv.Itoa(c.fd("fd")))
		file := c.file()
		g = group{dir: path.Dir(file), file: path.Base(file), at: c.proc("root") + path.Dir(file)}
		g.h = state.HierarchyOf(link)
		return g, g.h != state.NotCgroup
	}
	list := c.places()
	if len(list) == 0 {
		return g, false
	}
	p := list[0]
	g = group{dir: p.path, at: p.at}
	if strings.HasPrefix(c.Name, "open") {
		g = group{dir: path.Dir(p.path), file: path.Base(p.path), at: p.dir}
	}
	g.h = state.HierarchyOf(p.dir)
	return g, g.h != state.NotCgroup
}

// up is the cgroup above.
func (g group) up() group { return group{dir: path.Dir(g.dir), at: g.at + "/..", h: g.h} }

// value is a file of the cgroup, in one line.
func (g group) value(file string) string {
	return strings.Join(strings.Fields(read(g.at+"/"+file)), " ")
}

// cgroupDir is where the cgroup of a line of proc_pid_cgroup(5) can be seen by us.
func (c *Call) cgroupDir(controller, name string) string {
	own := bytes.NewReader(state.Read(os.Getpid(), "mountinfo"))
	mounts, err := mountinfo.GetMountsFromReader(own, nil)
	if err != nil {
		return ""
	}
	for _, m := range mounts {
		v1 := m.FSType == "cgroup" && slices.Contains(strings.Split(m.VFSOptions, ","), controller)
		if v1 && controller != "" || m.FSType == "cgroup2" && controller == "" {
			return path.Join(m.Mountpoint, strings.TrimPrefix(name, m.Root))
		}
	}
	return ""
}

// notEnabled tells which controller a file belongs to, and where it is not enabled.
func notEnabled(c *Call) string {
	g, ok := c.cgroup()
	controller, _, dotted := strings.Cut(g.file, ".")
	if !ok || g.h != state.CgroupV2 || !dotted || controller == "cgroup" {
		return ""
	}
	return c.enabled(g, controller)
}

// enabled goes up from a cgroup to where a controller is not handed down.
func (c *Call) enabled(g group, controller string) string {
	has := func(file string) bool {
		return slices.Contains(strings.Fields(g.value(file)), controller)
	}
	if unix.Access(g.at, unix.F_OK) != nil || has("cgroup.controllers") {
		return ""
	}
	for unix.Access(g.at+"/../cgroup.controllers", unix.F_OK) == nil {
		g = g.up()
		if has("cgroup.controllers") && !has("cgroup.subtree_control") {
			return "the controller " + controller + " is not enabled in " + g.dir +
				"/cgroup.subtree_control, which says \"" + g.value("cgroup.subtree_control") + "\""
		}
	}
	text := "this hierarchy has no controller " + controller + ": its cgroup.controllers says \"" +
		g.value("cgroup.controllers") + "\""
	if v1, _ := os.ReadFile("/proc/cgroups"); !bytes.Contains(v1, []byte(controller+"\t0\t")) &&
		bytes.Contains(v1, []byte(controller+"\t")) {
		text += "; it is in use by cgroup v1"
	}
	return text
}

// cannotEnable says why subtree_control refuses a controller.
func cannotEnable(c *Call) string {
	g, ok := c.cgroup()
	if !ok || g.file != "cgroup.subtree_control" {
		return ""
	}
	for word := range strings.FieldsSeq(c.data()) {
		controller, enable := strings.CutPrefix(word, "+")
		if enable && !slices.Contains(strings.Fields(g.value("cgroup.controllers")), controller) {
			if cause := c.enabled(g, controller); cause != "" {
				return cause
			}
		}
		if !enable && !strings.HasPrefix(word, "-") {
			return strconv.Quote(word) + " is neither +CONTROLLER nor -CONTROLLER"
		}
	}
	return ""
}

// domain are the controllers, of some, that manage processes and not threads: only these
// are under the rule (cgroups(7), "thread mode").
func domain(controllers string) []string {
	var list []string
	for controller := range strings.FieldsSeq(controllers) {
		switch controller {
		case "cpu", "cpuset", "perf_event", "pids":
		default:
			list = append(list, controller)
		}
	}
	return list
}

// inner tells the rule that processes are in leaves only (cgroups(7), "no internal
// processes").
func inner(c *Call) string {
	g, ok := c.cgroup()
	if !ok || g.h != state.CgroupV2 {
		return ""
	}
	switch g.file {
	case "cgroup.subtree_control":
		if pids := strings.Fields(g.value("cgroup.procs")); len(pids) > 0 {
			return fmt.Sprintf("%s has %s of its own (%s): a cgroup with processes may hand no controllers "+
				"down (no internal processes)", g.dir, plural(len(pids), "process"), list(pids, 3))
		}
		return c.childHas(g)
	case "cgroup.procs", "cgroup.threads":
		if control := domain(g.value("cgroup.subtree_control")); len(control) > 0 {
			return g.dir + " hands controllers down (" + strings.Join(control, " ") + "): it may have " +
				"no processes of its own (no internal processes)"
		}
	}
	return ""
}

// childHas tells a controller that a cgroup below hands on, and that is to be disabled.
func (c *Call) childHas(g group) string {
	entries, _ := os.ReadDir(g.at)
	for _, e := range entries {
		below := group{at: g.at + "/" + e.Name()}
		for word := range strings.FieldsSeq(c.data()) {
			controller := strings.TrimPrefix(word, "-")
			if e.IsDir() && controller != word &&
				slices.Contains(strings.Fields(below.value("cgroup.subtree_control")), controller) {
				return g.dir + "/" + e.Name() + " still hands " + controller + " down"
			}
		}
	}
	return ""
}

// inUse tells what keeps a cgroup from being removed.
func inUse(c *Call) string {
	g, ok := c.cgroup()
	if !ok {
		return ""
	}
	if pids := strings.Fields(g.value("cgroup.procs")); len(pids) > 0 {
		return g.dir + " has " + plural(len(pids), "process") + ": " + list(pids, 5)
	}
	entries, _ := os.ReadDir(g.at)
	for _, e := range entries {
		if e.IsDir() {
			return "there is a cgroup below: " + g.dir + "/" + e.Name()
		}
	}
	return ""
}

// wrongType tells a cgroup that takes threads, or nothing at all.
func wrongType(c *Call) string {
	g, ok := c.cgroup()
	if kind := g.value("cgroup.type"); ok && kind != "" && kind != "domain" {
		return g.dir + " is \"" + kind + "\" (cgroup.type): it takes no processes"
	}
	return ""
}

// noProcess tells a pid that is none.
func noProcess(c *Call) string {
	g, ok := c.cgroup()
	switch {
	case !ok || g.file != "cgroup.procs" && g.file != "tasks" && g.file != "cgroup.threads":
		return ""
	}
	return "there is no process " + strings.TrimSpace(c.data())
}

// noCPUs tells a cpuset that has not been given any CPUs or memory nodes yet.
func noCPUs(c *Call) string {
	g, ok := c.cgroup()
	if !ok || g.h != state.CgroupV1 {
		return ""
	}
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		if unix.Access(g.at+"/"+file, unix.F_OK) == nil && g.value(file) == "" {
			return g.dir + "/" + file + " is empty: a cpuset needs both CPUs and memory nodes"
		}
	}
	return ""
}

// notDelegated tells who a cgroup belongs to, where a process may not be moved.
func notDelegated(c *Call) string {
	g, ok := c.cgroup()
	if !ok {
		return ""
	}
	if g.file == "cgroup.procs" && g.h == state.CgroupV2 {
		return "moving a process takes write access to cgroup.procs of the nearest cgroup above both " +
			"the old and the new one: it is not delegated to this user"
	}
	if g.h == state.CgroupV1 && strings.HasPrefix(g.file, "devices.") {
		return "a cgroup cannot allow devices that the one above it does not: " +
			g.up().value("devices.list")
	}
	return ""
}

// tooManyGroupsBelow tells a limit on cgroups.
func tooManyGroupsBelow(c *Call) string {
	g, ok := c.cgroup()
	if !ok || g.h != state.CgroupV2 || g.file != "" {
		return ""
	}
	above := group{dir: path.Dir(g.dir), at: c.places()[0].dir}
	for ; unix.Access(above.at+"/cgroup.procs", unix.F_OK) == nil; above = above.up() {
		for _, file := range []string{"cgroup.max.descendants", "cgroup.max.depth"} {
			if most := above.value(file); most != "" && most != "max" {
				return above.dir + "/" + file + " is " + most
			}
		}
	}
	return ""
}

// accepts is what the files of cgroups take (Documentation/admin-guide/cgroup-v2.rst).
var accepts = map[string]string{
	"memory.max":                      "bytes, or max",
	"memory.high":                     "bytes, or max",
	"memory.low":                      "bytes, or max",
	"memory.min":                      "bytes, or max",
	"memory.swap.max":                 "bytes, or max",
	"memory.limit_in_bytes":           "bytes, or -1",
	"memory.memsw.limit_in_bytes":     "bytes, not less than memory.limit_in_bytes",
	"pids.max":                        "a number, or max",
	"cpu.weight":                      "a number from 1 to 10000",
	"cpu.max":                         "a quota in µs or max, and a period in µs",
	"cpu.cfs_quota_us":                "µs from 1000 on, or -1",
	"cpu.cfs_period_us":               "µs from 1000 to 1000000",
	"io.max":                          "MAJOR:MINOR of a whole disk, and rbps, wbps, riops or wiops",
	"io.weight":                       "a number from 1 to 10000",
	"cpuset.cpus":                     "CPUs of the cgroup above, such as 0-1,3",
	"cpuset.mems":                     "memory nodes of the cgroup above, such as 0",
	"cgroup.freeze":                   "0 or 1",
	"cgroup.kill":                     "1",
	"cgroup.type":                     "threaded",
	"cgroup.max.depth":                "a number, or max",
	"cgroup.max.descendants":          "a number, or max",
	"freezer.state":                   "THAWED or FROZEN",
	"cpu.shares":                      "a number from 2 on",
	"devices.allow":                   "a, b or c, MAJOR:MINOR, and any of rwm",
	"devices.deny":                    "a, b or c, MAJOR:MINOR, and any of rwm",
	"blkio.throttle.read_bps_device":  "MAJOR:MINOR of a whole disk, and bytes a second",
	"blkio.throttle.write_bps_device": "MAJOR:MINOR of a whole disk, and bytes a second",
	"cgroup.procs":                    "a pid of a process that the writer can see",
	"tasks":                           "a pid",
}

// badValue tells what a file of a cgroup takes instead.
func badValue(c *Call) string {
	g, ok := c.cgroup()
	takes := accepts[g.file]
	if !ok || takes == "" {
		return ""
	}
	value := strings.TrimSpace(c.data())
	text := fmt.Sprintf("%s takes %s, not %q", g.file, takes, value)
	if strings.HasPrefix(g.file, "cpuset.") {
		above := g.up()
		all := above.value(g.file + ".effective")
		if all == "" {
			all = above.value(strings.Replace(g.file, "cpuset.", "cpuset.effective_", 1))
		}
		text += "; the cgroup above has " + all
	}
	return text
}

// noDisk tells a device that is no disk here.
func noDisk(c *Call) string {
	g, ok := c.cgroup()
	number, _, _ := strings.Cut(strings.TrimSpace(c.data()), " ")
	if !ok || !strings.Contains(number, ":") {
		return ""
	}
	if _, err := os.Stat("/sys/dev/block/" + number); err != nil {
		return g.file + ": there is no block device " + number
	}
	if _, err := os.Stat("/sys/dev/block/" + number + "/partition"); err == nil {
		return g.file + ": " + number + " is a partition, not a whole disk"
	}
	return ""
}

// usedMemory tells a limit below what is in use already.
func usedMemory(c *Call) string {
	g, ok := c.cgroup()
	if !ok || !strings.HasPrefix(g.file, "memory.") {
		return ""
	}
	used := g.value("memory.usage_in_bytes")
	if used == "" {
		used = g.value("memory.current")
	}
	return "it uses " + used + " bytes already, and not enough can be freed for a limit of " +
		strings.TrimSpace(c.data())
}
