package pause

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/internal/trace/state"
	"github.com/containerkit/kit/internal/trace/syscalls"
)

// A waiting is a call that waits, and the process that stands in it.
type waiting struct {
	*trace.Event
	changes syscalls.State
}

func newWaiting(e *trace.Event) waiting {
	number := slices.Index(syscalls.Names(), e.Call)
	return waiting{e, syscalls.Find(number).Changes}
}

// about tells what the call is about to change, and how that is now: facts that are
// read from the process, which waits.
func (w waiting) about() []string {
	switch {
	case w.isClone():
		return w.aboutClone()
	case w.Call == "execve" || w.Call == "execveat":
		program, _ := os.Readlink(state.Proc(w.TID, "exe"))
		return []string{"the program that this process runs, now " + program}
	case w.changes&syscalls.Namespaces != 0:
		return w.aboutNamespaces()
	case w.changes&syscalls.Mounts != 0:
		return w.aboutMounts()
	case w.Call == "chroot":
		return []string{"its /, now " + w.link("root")}
	case w.changes&syscalls.Root != 0:
		return []string{"its working directory, now " + w.link("cwd")}
	case w.changes&syscalls.Hostname != 0:
		return w.aboutHostname()
	case w.changes&syscalls.Status != 0:
		return w.aboutStatus()
	case w.changes&syscalls.File != 0:
		return w.aboutFile()
	case w.changes&syscalls.Directory != 0:
		return w.aboutDirectory()
	case w.changes&syscalls.Netlink != 0 && len(w.Decoded) > 0:
		return w.aboutNet()
	}
	return w.aboutLittle()
}

func (w waiting) isClone() bool { return w.Call == "clone" || w.Call == "clone3" }

func (w waiting) link(name string) string {
	target, err := os.Readlink(state.Proc(w.TID, name))
	if err != nil {
		return "unknown"
	}
	return target
}

// arg is the text of an argument, unquoted where it is a string.
func (w waiting) arg(name string) string {
	for _, a := range w.Args {
		if a.Name != name {
			continue
		}
		if text, err := strconv.Unquote(a.Text); err == nil {
			return text
		}
		return a.Text
	}
	return ""
}

// newKinds are the kinds of namespaces that are in the flags of clone(2) and unshare(2).
func (w waiting) newKinds() []string {
	flags := w.arg("flags") + w.arg("cl_args") + w.arg("nstype")
	var kinds []string
	for _, k := range []struct{ flag, kind string }{
		{"CLONE_NEWUSER", "user"},
		{"CLONE_NEWNS", "mnt"},
		{"CLONE_NEWPID", "pid"},
		{"CLONE_NEWUTS", "uts"},
		{"CLONE_NEWIPC", "ipc"},
		{"CLONE_NEWNET", "net"},
		{"CLONE_NEWCGROUP", "cgroup"},
		{"CLONE_NEWTIME", "time"},
	} {
		if strings.Contains(flags, k.flag) {
			kinds = append(kinds, k.kind)
		}
	}
	return kinds
}

func (w waiting) aboutClone() []string {
	kinds := w.newKinds()
	if len(kinds) == 0 {
		return []string{"there is one process more, in the same namespaces"}
	}
	return []string{fmt.Sprintf("there is one process more, in %d new namespaces (%s); "+
		"this one is in %s", len(kinds), strings.Join(kinds, ", "), w.namespaces(kinds))}
}

// namespaces are those that the process is in now.
func (w waiting) namespaces(kinds []string) string {
	var links []string
	for _, k := range kinds {
		links = append(links, w.link("ns/"+k))
	}
	return strings.Join(links, " ")
}

func (w waiting) aboutNamespaces() []string {
	kinds := w.newKinds()
	if len(kinds) == 0 {
		return []string{"the namespaces that this process is in"}
	}
	return []string{"the namespaces that this process is in, now " + w.namespaces(kinds)}
}

func (w waiting) aboutMounts() []string {
	count := strings.Count(string(state.Read(w.TID, "mountinfo")), "\n")
	lines := []string{fmt.Sprintf("the mounts of the mount namespace %s, now %d",
		w.link("ns/mnt"), count)}
	if w.Call == "pivot_root" {
		return append(lines, "which of them is its /, now "+w.mountAt("/"))
	}
	target := ""
	for _, name := range []string{"target", "to_pathname", "pathname", "new_root"} {
		if target == "" {
			target = w.arg(name)
		}
	}
	if !strings.HasPrefix(target, "/") {
		return lines
	}
	return append(lines, "at "+target+" there is now "+w.mountAt(target))
}

// mountAt is what is mounted at a path, as the process sees it.
func (w waiting) mountAt(path string) string {
	if m, ok := state.ReadMounts(w.TID).At(path); ok {
		return m.String()
	}
	return "no mount"
}

func (w waiting) aboutHostname() []string {
	text := "the host name of the UTS namespace " + w.link("ns/uts")
	if len(w.Changes) > 0 && w.Changes[0].Before != "" {
		text += ", now " + w.Changes[0].Before
	}
	return []string{text}
}

// aboutStatus picks what the call is for from the process's credentials.
func (w waiting) aboutStatus() []string {
	s, err := procfs.ReadStatus(w.TID)
	if err != nil {
		return nil
	}
	op := w.arg("op") + w.arg("option")
	switch {
	case w.Call == "seccomp" || op == "PR_SET_SECCOMP":
		return []string{fmt.Sprintf("the filters on its system calls, now %d", s.SeccompFilters)}
	case op == "PR_SET_NO_NEW_PRIVS":
		return []string{fmt.Sprintf("whether execve may give it more rights, now %s",
			map[bool]string{true: "not (no_new_privs)", false: "yes"}[s.NoNewPrivs])}
	case op == "PR_CAPBSET_DROP":
		return []string{"the capabilities it can ever get (bounding set), now " +
			procfs.CapNames(s.CapBnd)}
	case op == "PR_CAP_AMBIENT":
		return []string{"the capabilities that pass an execve (ambient set), now " +
			procfs.CapNames(s.CapAmb)}
	case w.Call == "capset":
		return []string{"its capabilities, effective now " + procfs.CapNames(s.CapEff)}
	case strings.Contains(w.Call, "groups"):
		return []string{"its groups, now " + strings.Trim(fmt.Sprint(s.Groups), "[]")}
	case strings.Contains(w.Call, "gid"):
		return []string{"its group ids, now " + strings.Trim(fmt.Sprint(s.Gid), "[]")}
	case strings.Contains(w.Call, "uid"):
		return []string{"its user ids, now " + strings.Trim(fmt.Sprint(s.Uid), "[]")}
	}
	return w.aboutPrctl(op)
}

// aboutPrctl is for the operations of prctl(2) that no file of /proc shows.
func (w waiting) aboutPrctl(op string) []string {
	switch op {
	case "PR_SET_PDEATHSIG":
		return []string{"the signal that it gets when its parent ends"}
	case "PR_SET_NAME":
		return []string{"its name in ps, now " + strings.TrimSpace(string(state.Read(w.TID, "comm")))}
	case "PR_SET_DUMPABLE":
		return []string{"who may look into it"}
	}
	return nil
}

// descriptor takes 5</sys/fs/cgroup/x/memory.max> apart.
func (w waiting) descriptor() (fd int, path string) {
	number, rest, _ := strings.Cut(w.arg("fd"), "<")
	fd, err := strconv.Atoi(number)
	if err != nil {
		return -1, ""
	}
	return fd, strings.TrimSuffix(rest, ">")
}

func (w waiting) aboutFile() []string {
	fd, path := w.descriptor()
	if !state.Tells(w.TID, fd, path) {
		return w.aboutLittle()
	}
	f := state.ReadFile(w.TID, fd, path, w.arg("buf"))
	value := f.Value
	if value == "" {
		value = "empty"
	}
	return []string{f.What + ", now " + value}
}

// path is the directory that the call is about, as we can look at it, and as it is
// called there.
func (w waiting) path() (ours, theirs string) {
	theirs = w.arg("pathname")
	if strings.HasPrefix(theirs, "/") {
		return state.Proc(w.TID, "root") + theirs, theirs
	}
	fd, _, ok := strings.Cut(w.arg("dirfd"), "<")
	if _, err := strconv.Atoi(fd); ok && err == nil {
		return state.Proc(w.TID, "fd/"+fd+"/"+theirs), w.link("fd/"+fd) + "/" + theirs
	}
	return state.Proc(w.TID, "cwd/"+theirs), w.link("cwd") + "/" + theirs
}

func (w waiting) aboutDirectory() []string {
	ours, theirs := w.path()
	what := "the file "
	info, err := os.Lstat(ours)
	if strings.HasPrefix(w.Call, "mkdir") || err == nil && info.IsDir() {
		what = "the directory "
	}
	if state.HierarchyOf(parent(ours)) != state.NotCgroup && what != "the file " {
		what = "the cgroup "
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []string{what + theirs + ", which is not there yet"}
	case err != nil:
		return []string{what + theirs}
	}
	return []string{what + theirs + ", which is there now"}
}

func parent(path string) string { return path[:max(strings.LastIndexByte(path, '/'), 1)] }

func (w waiting) aboutNet() []string {
	if w.asksOnly() {
		return []string{"nothing: it asks for what is there"}
	}
	where := state.NetOf(w.TID)
	if w.speaksNetfilter() {
		return []string{"the nftables rules of the network namespace " + where}
	}
	var links []string
	routes := 0
	now := state.ReadNet(w.TID, -1)
	for _, c := range (&state.Net{}).Diff(&now, "") {
		if name, ok := strings.CutPrefix(c.What, "link "); ok {
			links = append(links, name)
		}
		if strings.Contains(c.What, "route") {
			routes++
		}
	}
	return []string{fmt.Sprintf("the network namespace %s, now with links %s and %d routes",
		where, strings.Join(links, ", "), routes)}
}

func (w waiting) speaksNetfilter() bool {
	return slices.ContainsFunc(w.Decoded[0].Lines, func(l string) bool {
		return strings.HasPrefix(l, "NFT_")
	})
}

func (w waiting) asksOnly() bool {
	return !slices.ContainsFunc(w.Decoded[0].Lines, func(l string) bool {
		return !strings.HasPrefix(l, "RTM_GET") && !strings.HasPrefix(l, "NFT_MSG_GET")
	})
}

// little says what calls are for that change nothing of what a container is made of.
var little = [...]struct{ text, calls string }{
	{
		"nothing: it looks",
		"fstat newfstatat stat lstat statx statfs fstatfs capget readlinkat " +
			"readlink faccessat faccessat2 access getdents64 ppoll poll getpgid " +
			"getxattr prlimit64",
	},
	{"nothing: it reads", "read pread64 lseek"},
	{"nothing: it waits for data", "recvfrom recvmsg"},
	{"nothing that stays: data for the other end", "sendto sendmsg write writev pwrite64"},
	{"nothing that stays: it tells the other end that no more comes", "shutdown"},
	{
		"its open files, one more",
		"open openat openat2 socket pidfd_open fsopen dup dup3 memfd_create",
	},
	{"its open files, two more", "socketpair pipe2"},
	{"its open files, one less", "close"},
	{"its open files, which close at execve", "close_range"},
	{"its open files: a mount that is attached nowhere", "open_tree fsmount"},
	{"the child that has ended: its exit status is read", "wait4 waitid"},
	{"the mode of files that it makes", "umask"},
	{"the directory, one device more", "mknodat mknod"},
	{"the directory, one name more", "symlinkat symlink linkat renameat renameat2"},
	{"who owns the file", "fchownat chown fchown lchown"},
	{"who may do what with the file", "fchmodat chmod fchmod fchmodat2"},
	{"the process that gets the signal", "kill tgkill pidfd_send_signal"},
	{"its session: the new one has no terminal", "setsid"},
	{"the process: it ends", "exit_group exit"},
	{"the file: who else wants to lock it waits", "flock"},
	{"the limits on what it uses", "setrlimit"},
}

func (w waiting) aboutLittle() []string {
	for _, l := range little {
		if slices.Contains(strings.Fields(l.calls), w.Call) {
			return []string{l.text}
		}
	}
	return nil
}
