package state

import (
	"path"
	"strconv"
	"strings"
)

// Tells reports whether a file of a process, whose descriptor it is, shows when it is
// read what was written to it: in /proc, or an interface file of a cgroup.
func Tells(tid, fd int, file string) bool {
	switch path.Base(file) {
	case "uid_map", "gid_map", "setgroups", "projid_map", "timens_offsets",
		"oom_score_adj", "loginuid":
		return strings.HasPrefix(file, "/proc/")
	}
	if strings.HasPrefix(file, "/proc/") {
		return strings.HasPrefix(file, "/proc/sys/")
	}
	return strings.HasPrefix(file, "/") &&
		HierarchyOf(Proc(tid, "fd/"+strconv.Itoa(fd))) != NotCgroup
}

// A File is what a kernel file says, seen from a process. For cgroup.procs it
// is where the process that is written is.
type File struct {
	What, Value string
	Below       []string // for cgroup.subtree_control: the files of the cgroups below
}

// ReadFile reads the file behind a descriptor of the thread tid, whose name is file;
// data is what is about to be, or has been, written.
func ReadFile(tid, fd int, file, data string) File {
	link := Proc(tid, "fd/"+strconv.Itoa(fd))
	if h := HierarchyOf(link); h != NotCgroup {
		return readCgroupFile(tid, file, link, data, h)
	}
	return File{What: file, Value: flat(read(link))}
}

// Diff tells what has become of the file.
func (f File) Diff(after File) []Change {
	var changes []Change
	if f.Value != after.Value {
		changes = append(changes, Change{
			f.What, f.Value, after.Value, linesInShort(f.Value, after.Value),
		})
	}
	if came := missing(after.Below, f.Below); len(came) > 0 {
		changes = append(changes, Change{
			What: "the cgroups below", After: strings.Join(came, " "), Short: grouped(came),
		})
	}
	if gone := missing(f.Below, after.Below); len(gone) > 0 {
		changes = append(changes, Change{
			What: "the cgroups below", Before: strings.Join(gone, " "), Short: grouped(gone),
		})
	}
	return changes
}

// linesInShort tells which lines a file of several has lost and gained.
func linesInShort(before, after string) string {
	was, now := strings.Split(before, ", "), strings.Split(after, ", ")
	if before == "" || after == "" || len(was)+len(now) < 3 {
		return ""
	}
	var words []string
	for _, l := range missing(was, now) {
		words = append(words, "- "+l)
	}
	for _, l := range missing(now, was) {
		words = append(words, "+ "+l)
	}
	return strings.Join(words, ", ")
}

// IDMaps are the id maps of a process's user namespace.
type IDMaps [2]File

// ReadIDMaps reads those of the process pid.
func ReadIDMaps(pid int) (m IDMaps) {
	for i, name := range []string{"uid_map", "gid_map"} {
		text := read(Proc(pid, name))
		m[i] = File{What: Proc(pid, name), Value: flat(text)}
	}
	return m
}

// Diff tells which of the two has changed.
func (m IDMaps) Diff(after IDMaps) []Change {
	return append(m[0].Diff(after[0]), m[1].Diff(after[1])...)
}

// Cgroup returns the lines of /proc/PID/cgroup, in one.
func Cgroup(pid int) string {
	text := read(Proc(pid, "cgroup"))
	return flat(text)
}

// Unified returns the line of /proc/PID/cgroup about cgroup v2, "" without it.
func Unified(pid int) string {
	for line := range strings.Lines(string(Read(pid, "cgroup"))) {
		if strings.HasPrefix(line, "0::") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// flat puts the lines of a file into one, and single spaces between words.
func flat(text []byte) string {
	var lines []string
	for line := range strings.Lines(string(text)) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, ", ")
}
