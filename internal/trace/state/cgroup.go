package state

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Hierarchy tells which version of cgroups a file belongs to.
type Hierarchy int

// The file systems of the kernel that are made of cgroups (statfs(2)).
const (
	NotCgroup Hierarchy = iota
	CgroupV1
	CgroupV2
)

// HierarchyOf looks at the file system that a path is in, wherever it is mounted.
func HierarchyOf(path string) Hierarchy {
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) != nil {
		return NotCgroup
	}
	switch uint32(fs.Type) {
	case unix.CGROUP_SUPER_MAGIC:
		return CgroupV1
	case unix.CGROUP2_SUPER_MAGIC:
		return CgroupV2
	}
	return NotCgroup
}

// v2Names are what the files of cgroup v1 are called in v2
// (Documentation/admin-guide/cgroup-v2.rst).
var v2Names = [...]struct{ v1, v2 string }{
	{"blkio.bfq.weight", "io.bfq.weight"},
	{"blkio.throttle.read_bps_device", "rbps in io.max"},
	{"blkio.throttle.read_iops_device", "riops in io.max"},
	{"blkio.throttle.write_bps_device", "wbps in io.max"},
	{"blkio.throttle.write_iops_device", "wiops in io.max"},
	{"blkio.weight", "io.weight"},
	{"cpu.cfs_period_us", "the period in cpu.max"},
	{"cpu.cfs_quota_us", "the quota in cpu.max"},
	{"cpu.shares", "cpu.weight"},
	{"devices.list", "a BPF program"},
	{"freezer.state", "cgroup.freeze"},
	{"memory.limit_in_bytes", "memory.max"},
	{"memory.memsw.limit_in_bytes", "memory.max and memory.swap.max"},
	{"memory.soft_limit_in_bytes", "memory.low"},
	{"tasks", "cgroup.threads"},
}

// both is the name of an interface file, for v1 with that of v2 beside it.
func both(file string, h Hierarchy) string {
	if h != CgroupV1 {
		return file
	}
	for _, n := range v2Names {
		if n.v1 == path.Base(file) {
			return file + " (v2: " + n.v2 + ")"
		}
	}
	return file
}

// readCgroupFile reads an interface file that is written to; data is what is. Of a
// file that moves processes, it is where the process is; of one that hands out
// controllers, the files of the cgroups below.
func readCgroupFile(tid int, file, link, data string, h Hierarchy) File {
	switch path.Base(file) {
	case "cgroup.procs", "tasks", "cgroup.threads":
		pid := strings.TrimSpace(data)
		if n, err := strconv.Atoi(pid); err != nil || n == 0 {
			pid = strconv.Itoa(tid)
		}
		what := "/proc/" + pid + "/cgroup"
		return File{What: what, Value: membership(tid, what, link)}
	case "cgroup.subtree_control":
		return File{What: file, Value: flat(read(link)), Below: below(tid, file)}
	case "devices.allow", "devices.deny":
		// They can only be written. What is in force is in a third.
		dir := path.Dir(file)
		text := read(Proc(tid, "root") + dir + "/devices.list")
		return File{What: both(dir+"/devices.list", h), Value: flat(text)}
	}
	return File{What: both(file, h), Value: flat(read(link))}
}

// membership is the line of /proc/PID/cgroup about the hierarchy in which the file
// behind link is.
func membership(tid int, proc, link string) string {
	controllers := ""
	if HierarchyOf(link) == CgroupV1 {
		controllers = controllersOf(tid, link)
	}
	for line := range strings.Lines(string(read(proc))) {
		line = strings.TrimSpace(line)
		_, rest, _ := strings.Cut(line, ":")
		if of, _, _ := strings.Cut(rest, ":"); of == controllers {
			return line
		}
	}
	return ""
}

// controllersOf is how /proc/PID/cgroup calls the v1 hierarchy in which a file is:
// by the super options of the mount that has the file's device.
func controllersOf(tid int, file string) string {
	var st unix.Stat_t
	if unix.Stat(file, &st) != nil {
		return ""
	}
	device := fmt.Sprintf(" %d:%d ", unix.Major(st.Dev), unix.Minor(st.Dev))
	for line := range strings.Lines(string(Read(tid, "mountinfo"))) {
		if !strings.Contains(line, device) {
			continue
		}
		f := strings.Fields(line)
		var list []string
		for option := range strings.SplitSeq(f[len(f)-1], ",") {
			switch option {
			case "rw", "ro", "xattr", "noprefix", "clone_children", "none":
			default:
				if !strings.HasPrefix(option, "release_agent=") {
					list = append(list, option)
				}
			}
		}
		return strings.Join(list, ",")
	}
	return ""
}

// below are the interface files of the cgroups below the one that file belongs to:
// those of the first, for all have the same.
func below(tid int, file string) []string {
	dir := Proc(tid, "root") + path.Dir(file)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			return files(dir + "/" + e.Name())
		}
	}
	return nil
}

// files are the names in a directory, directories left out.
func files(dir string) []string {
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// grouped tells how many files of each controller there are: cgroup.* 9, memory.* 20.
func grouped(names []string) string {
	var order []string
	count := map[string]int{}
	for _, n := range names {
		controller, _, _ := strings.Cut(n, ".")
		if count[controller]++; count[controller] == 1 {
			order = append(order, controller)
		}
	}
	slices.Sort(order)
	for i, c := range order {
		if count[c] == 1 {
			j := slices.IndexFunc(names, func(n string) bool {
				return n == c || strings.HasPrefix(n, c+".")
			})
			order[i] = names[j]
			continue
		}
		order[i] = fmt.Sprintf("%s.* (%d)", c, count[c])
	}
	return fmt.Sprintf("%d files: %s", len(names), strings.Join(order, " "))
}

// A Directory is a cgroup's, as a call makes or removes it.
type Directory struct {
	path  string
	h     Hierarchy
	there bool
	files []string
}

// ReadDirectory reads the cgroup at a path, from one of the thread's directories
// (/proc/TID/cwd, /proc/TID/root, /proc/TID/fd/N). Of what is in no cgroup file system
// nothing is read.
func ReadDirectory(base, name string) Directory {
	file := path.Join(base, name)
	d := Directory{path: name, h: HierarchyOf(path.Dir(file))}
	if d.h == NotCgroup {
		return d
	}
	var st unix.Stat_t
	d.there = unix.Stat(file, &st) == nil
	if d.there {
		d.files = files(file)
	}
	return d
}

// IsCgroup tells that the directory is a cgroup, or would be one.
func (d *Directory) IsCgroup() bool { return d.h != NotCgroup }

// Diff tells that a cgroup came, and with which files, or went.
func (d *Directory) Diff(after *Directory) []Change {
	switch {
	case d.h == NotCgroup || d.there == after.there:
		return nil
	case after.there:
		return []Change{{
			What: "cgroup " + after.path, After: strings.Join(after.files, " "),
			Short: grouped(after.files),
		}}
	}
	return []Change{{
		What: "cgroup " + d.path, Before: strings.Join(d.files, " "),
		Short: "gone, with its files",
	}}
}
