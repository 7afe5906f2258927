// Package state reads one piece of a process's kernel state from /proc at a
// time, and tells what has changed between two readings.
package state

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Change is a piece of state before and after; either is empty for what came
// into being or went away. Short says the same in fewer words, where there are many.
type Change struct{ What, Before, After, Short string }

// Proc is the path of a file of the thread tid in /proc.
func Proc(tid int, name string) string { return "/proc/" + strconv.Itoa(tid) + "/" + name }

// kinds are the links under /proc/PID/ns: the eight namespaces a process is in,
// and the two that only its children will be in (namespaces(7)).
var kinds = [...]string{
	"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts",
	"pid_for_children", "time_for_children",
}

// Namespaces are the links under /proc/TID/ns: uts:[4026531838].
type Namespaces [len(kinds)]string

// ReadNamespaces reads those of the thread tid. A link that may not be read is "".
func ReadNamespaces(tid int) Namespaces {
	var ns Namespaces
	dir := Proc(tid, "ns/")
	for i, kind := range kinds {
		ns[i], _ = os.Readlink(dir + kind)
	}
	return ns
}

// Of returns the link of one kind.
func (ns *Namespaces) Of(kind string) string {
	for i, k := range kinds {
		if k == kind {
			return ns[i]
		}
	}
	return ""
}

// Diff tells in which namespaces tid is now. Those that only children will be
// in are told when they are not the process's own.
func (ns *Namespaces) Diff(after *Namespaces, tid int) []Change {
	var changes []Change
	for i, kind := range kinds {
		if ns[i] == after[i] || ns[i] == "" || after[i] == "" {
			continue
		}
		if own, ok := strings.CutSuffix(kind, "_for_children"); ok && after[i] == after.Of(own) {
			continue
		}
		changes = append(changes, Change{Proc(tid, "ns/"+kind), ns[i], after[i], ""})
	}
	return changes
}

// Owner returns the user namespace that a process's namespace of a kind belongs
// to (NS_GET_USERNS in ioctl_ns(2)), "" when that may not be known.
func Owner(tid int, kind string) string {
	if kind == "user" {
		link, _ := os.Readlink(Proc(tid, "ns/user"))
		return link
	}
	f, err := os.Open(Proc(tid, "ns/"+kind))
	if err != nil {
		return ""
	}
	defer f.Close()
	fd, err := unix.IoctlRetInt(int(f.Fd()), unix.NS_GET_USERNS)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return ""
	}
	return "user:[" + strconv.FormatUint(st.Ino, 10) + "]"
}
