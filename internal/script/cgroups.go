package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/procfs"
)

// A limit is a line for a file of a cgroup. The word before the dot is the controller.
type limit struct{ why, file, value string }

func (l limit) controller() string {
	controller, _, _ := strings.Cut(l.file, ".")
	return controller
}

// limits are those of step 3 in the words of v2, and behind them those of v1.
func limits(l container.Limits) (v2, v1 []limit) {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	if l.Memory > 0 {
		const why = "Bytes of memory; beyond it the OOM killer acts."
		v2 = append(v2, limit{why, "memory.max", number(l.Memory)},
			limit{"The disk is no way around it.", "memory.swap.max", "0"})
		v1 = append(v1, limit{why + " (memory.max)", "memory.limit_in_bytes", number(l.Memory)},
			limit{
				"The same with swap: none is left for it.",
				"memory.memsw.limit_in_bytes", number(l.Memory),
			})
	}
	if l.MemoryLow > 0 {
		const why = "Taken last when the machine runs short."
		v2 = append(v2, limit{why, "memory.low", number(l.MemoryLow)})
		v1 = append(v1, limit{why + " (memory.low)", "memory.soft_limit_in_bytes", number(l.MemoryLow)})
	}
	if l.CPUs > 0 {
		const why = "Microseconds of CPU time in every 100 ms."
		quota := number(int64(l.CPUs*100_000 + 0.5))
		v2 = append(v2, limit{why, "cpu.max", quota + " 100000"})
		v1 = append(v1, limit{why + " (cpu.max)", "cpu.cfs_period_us", "100000"},
			limit{"", "cpu.cfs_quota_us", quota})
	}
	if l.CPUWeight > 0 {
		const why = "The share of a CPU that others want, too."
		v2 = append(v2, limit{why, "cpu.weight", number(int64(l.CPUWeight))})
		v1 = append(v1, limit{
			why + " (cpu.weight, of which 100 is 1024 here)",
			"cpu.shares", number(int64((l.CPUWeight*1024 + 50) / 100)),
		})
	}
	if l.CPUSet != "" {
		set := limit{"Which CPUs at all.", "cpuset.cpus", l.CPUSet}
		v2, v1 = append(v2, set), append(v1, set)
	}
	if l.Pids > 0 {
		set := limit{"Processes and threads; beyond it fork fails.", "pids.max", number(l.Pids)}
		v2, v1 = append(v2, set), append(v1, set)
	}
	for _, io := range l.IO {
		v2, v1 = append(v2, limit{diskRate, "io.max", ioMax(io)}), append(v1, blkio(io)...)
	}
	return v2, v1
}

const diskRate = "Bytes per second of one disk."

func ioMax(io container.IOLimit) string {
	line := fmt.Sprintf("%d:%d", io.Major, io.Minor)
	if io.ReadBps > 0 {
		line += fmt.Sprintf(" rbps=%d", io.ReadBps)
	}
	if io.WriteBps > 0 {
		line += fmt.Sprintf(" wbps=%d", io.WriteBps)
	}
	return line
}

func blkio(io container.IOLimit) (list []limit) {
	line := func(file string, rate uint64) {
		if rate > 0 {
			list = append(list, limit{
				diskRate + " (io.max)", "blkio.throttle." + file,
				fmt.Sprintf("%d:%d %d", io.Major, io.Minor, rate),
			})
		}
	}
	line("read_bps_device", io.ReadBps)
	line("write_bps_device", io.WriteBps)
	return list
}

// A group is the container's cgroup in one hierarchy: a variable of the script.
type group struct {
	procfs.CgroupMount
	variable string
	limits   []limit
}

// groups are the hierarchies that the script makes a cgroup in: those with a limit to
// set, v2's where there is one, and v1's that restricts devices.
func (s *script) groups() (list []group) {
	v2, v1 := limits(s.c.Limits)
	v1Has := map[string]bool{}
	for _, m := range s.trees {
		for _, c := range m.Controllers {
			v1Has[c] = true
		}
	}
	for _, m := range s.trees {
		g := group{CgroupMount: m, variable: "CGROUP"}
		if m.V2 {
			for _, l := range v2 {
				if v1Has[l.controller()] || l.controller() == "io" && v1Has["blkio"] {
					continue // v1 has it
				}
				g.limits = append(g.limits, l)
			}
			list = append(list, g)
			continue
		}
		for _, l := range v1 {
			if slices.Contains(m.Controllers, l.controller()) {
				g.limits = append(g.limits, l)
			}
		}
		if len(g.limits) > 0 || slices.Contains(m.Controllers, "devices") {
			g.variable += "_" + strings.ToUpper(strings.Join(m.Controllers, "_"))
			list = append(list, g)
		}
	}
	return list
}

// cgroups is the Before moment of step 3.
func (s *script) cgroups() {
	s.section("Step 3, cgroups: how much it may use")
	for _, g := range s.groups() {
		s.why("A cgroup is a directory that the kernel makes up.")
		if !g.V2 {
			s.why("(Cgroup v1: the controller " + strings.Join(g.Controllers, ", ") +
				" has a hierarchy of its own.)")
		}
		dir := `"$` + g.variable + `"`
		s.do("", fmt.Sprintf(`%s=%s/"$NAME"`, g.variable, quote(g.Dir)))
		s.enable(g)
		s.do("", "mkdir "+dir)
		// The processes end with PID 1; the kernel needs a moment to forget them.
		s.later("for i in 1 2 3 4 5; do rmdir " + dir + " 2>/dev/null && break; sleep 0.1; done")
		if slices.Contains(g.Controllers, "cpuset") {
			s.do("A cpuset of v1 is born empty, and takes nobody without CPUs and memory.",
				fmt.Sprintf("cat %s/cpuset.cpus >%s/cpuset.cpus", quote(g.Dir), dir),
				fmt.Sprintf("cat %s/cpuset.mems >%s/cpuset.mems", quote(g.Dir), dir))
		}
		for _, l := range g.limits {
			s.do(l.why, fmt.Sprintf("echo %s >%s/%s", quote(l.value), dir, l.file))
		}
		s.devices(g, dir)
		s.do("", "")
	}
}

// enable makes a controller of v2 available to the cgroups below the top.
func (s *script) enable(g group) {
	if !g.V2 || len(g.limits) == 0 {
		return
	}
	var names []string
	for _, l := range g.limits {
		if name := "+" + l.controller(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	s.do("A controller works only where the cgroup above has handed it down.",
		fmt.Sprintf("echo '%s' >%s/cgroup.subtree_control", strings.Join(names, " "), quote(g.Dir)))
}

// devices restricts which devices may be used.
func (s *script) devices(g group, dir string) {
	if g.V2 {
		if !slices.ContainsFunc(s.trees, func(m procfs.CgroupMount) bool {
			return slices.Contains(m.Controllers, "devices")
		}) {
			s.why("Which devices may be used is a BPF program under v2, which a shell cannot load: " +
				"kit step 3 does, and so does docker.")
		}
		return
	}
	if !slices.Contains(g.Controllers, "devices") {
		return
	}
	allow := dir + "/devices.allow"
	lines := []string{
		"echo a >" + dir + "/devices.deny",
		"for rule in 'c *:* m' 'b *:* m' 'c 1:3 rwm' 'c 1:5 rwm' 'c 1:7 rwm' 'c 1:8 rwm' 'c 1:9 rwm' \\",
		"	'c 5:0 rwm' 'c 5:1 rwm' 'c 5:2 rwm' 'c 136:* rwm'; do",
		"	echo \"$rule\" >" + allow, "done",
	}
	for _, d := range s.c.Devices {
		kind := "c"
		if d.Mode&0o170000 == 0o060000 {
			kind = "b"
		}
		lines = append(lines,
			fmt.Sprintf("echo '%s %d:%d %s' >%s", kind, d.Major, d.Minor, d.Access, allow))
	}
	s.do("No device but the harmless ones. Root could make others: mknod needs two numbers only.",
		lines...)
}

// enter puts the shell that starts the child into the cgroups.
func (s *script) enter() string {
	var b strings.Builder
	for _, g := range s.groups() {
		fmt.Fprintf(&b, "\tsh -c 'echo $PPID' >\"$%s/cgroup.procs\"\n", g.variable)
	}
	return b.String()
}

// showCgroups is the Inside moment of step 3.
func (s *script) showCgroups() {
	const file = "03-cgroups/mount.go"
	s.section("Step 3: its own part of the cgroups, to be read only")
	if !slices.ContainsFunc(s.trees, func(m procfs.CgroupMount) bool { return !m.V2 }) {
		s.do(s.reason(file, `"cgroup2", mountFlags`),
			"mount -t cgroup2 -o ro,nosuid,nodev,noexec cgroup2 /sys/fs/cgroup")
		return
	}
	lines := []string{"mount -t tmpfs -o nosuid,nodev,noexec,mode=755,size=64k tmpfs /sys/fs/cgroup"}
	for _, g := range s.groups() {
		name, options, kind := strings.Join(g.Controllers, ","), "", "cgroup"
		if g.V2 {
			name, kind = "unified", "cgroup2"
		} else {
			options = "," + name
		}
		dir := "/sys/fs/cgroup/" + name
		lines = append(lines, "mkdir "+dir,
			fmt.Sprintf("mount -t %s -o ro,nosuid,nodev,noexec%s %s %s", kind, options, kind, dir))
	}
	s.do("The container sees its own part of the cgroups, and changes nothing.", lines...)
}
