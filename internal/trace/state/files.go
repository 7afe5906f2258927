package state

import (
	"os"
	"path"
	"strconv"
	"strings"
)

// Tells reports whether a file in a file system of the kernel shows, when it is
// read, what was written to it.
func Tells(file string) bool {
	switch path.Base(file) {
	case "uid_map", "gid_map", "setgroups", "projid_map", "timens_offsets",
		"oom_score_adj", "loginuid":
		return strings.HasPrefix(file, "/proc/")
	}
	return strings.HasPrefix(file, "/proc/sys/") || strings.HasPrefix(file, "/sys/fs/cgroup/")
}

// A File is what a kernel file says, seen from a process. For cgroup.procs it
// is where the process that is written is.
type File struct{ What, Value string }

// ReadFile reads a file as the thread tid sees it; data is what is about to be,
// or has been, written.
func ReadFile(tid int, file, data string) File {
	switch path.Base(file) {
	case "cgroup.procs", "tasks", "cgroup.threads":
		pid := strings.TrimSpace(data)
		if n, err := strconv.Atoi(pid); err != nil || n == 0 {
			pid = strconv.Itoa(tid)
		}
		what := "/proc/" + pid + "/cgroup"
		return File{what, membership(what, file)}
	case "cgroup.subtree_control":
		dir := path.Dir(file)
		return File{dir, strings.Join(children(tid, dir), " ")}
	}
	text := read(Proc(tid, "root") + file)
	return File{file, flat(text)}
}

// membership is the line of /proc/PID/cgroup about the hierarchy in which file is.
func membership(proc, file string) string {
	text := read(proc)
	var unified string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		_, rest, _ := strings.Cut(line, ":")
		controllers, _, _ := strings.Cut(rest, ":")
		if controllers == "" {
			unified = line
		} else if strings.Contains(file, "/"+controllers+"/") {
			return line
		}
	}
	return unified
}

// children are the names in a directory as tid sees it, directories left out.
func children(tid int, dir string) []string {
	entries, _ := os.ReadDir(Proc(tid, "root") + dir)
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// Diff tells what has become of the file.
func (f File) Diff(after File) []Change {
	if f.Value == after.Value {
		return nil
	}
	return []Change{{f.What, f.Value, after.Value}}
}

// IDMaps are the id maps of a process's user namespace.
type IDMaps [2]File

// ReadIDMaps reads those of the process pid.
func ReadIDMaps(pid int) (m IDMaps) {
	for i, name := range []string{"uid_map", "gid_map"} {
		text := read(Proc(pid, name))
		m[i] = File{Proc(pid, name), flat(text)}
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

// flat puts the lines of a file into one, and single spaces between words.
func flat(text []byte) string {
	var lines []string
	for line := range strings.Lines(string(text)) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, ", ")
}
