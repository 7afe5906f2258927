package procfs

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Namespace is one link under /proc/TID/ns (namespaces(7)).
type Namespace struct {
	Kind  string // "mnt", "pid_for_children"
	Inode uint64 // its identity; 0 where Err is set, or where it has no process yet
	Err   error  // why the link could not be read, EACCES most of all
}

// Kinds returns the eight kinds of namespaces, the one that owns the others
// first.
func Kinds() []string {
	return []string{"user", "mnt", "pid", "uts", "ipc", "net", "cgroup", "time"}
}

// Namespaces returns the namespaces that a thread is in, in the order of Kinds.
// Kinds that the kernel does not know are left out. The error is for all of
// them: ESRCH where there is no such thread.
func Namespaces(tid int) ([]Namespace, error) {
	list := links(tid, Kinds())
	if len(list) == 0 {
		return nil, fmt.Errorf("readlink %s: %w", Path(tid, "ns"), unix.ESRCH)
	}
	return list, nil
}

// ForChildren returns the namespaces that the children of a thread will be born
// in, pid_for_children and time_for_children, as unshare(2) and setns(2) set
// them. A PID namespace in which no process was born yet has Inode 0.
func ForChildren(tid int) ([]Namespace, error) {
	list := links(tid, []string{"pid_for_children", "time_for_children"})
	if len(list) == 0 && !exists(tid) {
		return nil, fmt.Errorf("readlink %s: %w", Path(tid, "ns"), unix.ESRCH)
	}
	return list, nil
}

func links(tid int, kinds []string) []Namespace {
	list := make([]Namespace, 0, len(kinds))
	for _, kind := range kinds {
		ns, known := link(tid, kind)
		if known {
			list = append(list, ns)
		}
	}
	return list
}

// link reads one link. It is not known where the kernel does not have it.
func link(tid int, kind string) (ns Namespace, known bool) {
	var buf [64]byte
	path := Path(tid, "ns/"+kind)
	n, err := unix.Readlink(path, buf[:])
	switch err {
	case nil:
		inode, err := parseLink(string(buf[:n]))
		return Namespace{kind, inode, err}, true
	case unix.ENOENT:
		return unborn(path, kind)
	}
	return Namespace{Kind: kind, Err: err}, true
}

// unborn tells a link that is not there from one that leads nowhere: that of a
// zombie, which has left its namespaces, and that of children to come.
func unborn(path, kind string) (ns Namespace, known bool) {
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil {
		return Namespace{}, false
	}
	if strings.HasSuffix(kind, "_for_children") {
		return Namespace{Kind: kind}, true
	}
	return Namespace{Kind: kind, Err: unix.ESRCH}, true
}

// parseLink takes the inode out of "mnt:[4026531841]".
func parseLink(target string) (uint64, error) {
	_, rest, _ := strings.Cut(target, ":[")
	digits, ok := strings.CutSuffix(rest, "]")
	inode, err := strconv.ParseUint(digits, 10, 64)
	if !ok || err != nil {
		return 0, fmt.Errorf("parse namespace link %q: not of the form kind:[inode]", target)
	}
	return inode, nil
}
