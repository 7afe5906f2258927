package oracle

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/state"
)

// spaces are the kinds of namespaces: their flags, the names of their links under
// /proc/TID/ns, and those of their limits under /proc/sys/user (namespaces(7)).
var spaces = [...]struct {
	flag         uint64
	flagged      string
	name, limits string
}{
	{unix.CLONE_NEWUSER, "CLONE_NEWUSER", "user", "user"},
	{unix.CLONE_NEWNS, "CLONE_NEWNS", "mnt", "mnt"},
	{unix.CLONE_NEWPID, "CLONE_NEWPID", "pid", "pid"},
	{unix.CLONE_NEWUTS, "CLONE_NEWUTS", "uts", "uts"},
	{unix.CLONE_NEWIPC, "CLONE_NEWIPC", "ipc", "ipc"},
	{unix.CLONE_NEWNET, "CLONE_NEWNET", "net", "net"},
	{unix.CLONE_NEWCGROUP, "CLONE_NEWCGROUP", "cgroup", "cgroup"},
	{unix.CLONE_NEWTIME, "CLONE_NEWTIME", "time", "time"},
}

// cloneFlags are those of clone, clone3, unshare and setns.
func (c *Call) cloneFlags() uint64 {
	switch c.Name {
	case "clone3":
		w := c.words(c.arg("cl_args"), 2)
		return uint64(w[0]) | uint64(w[1])<<32
	case "setns":
		return c.arg("nstype")
	}
	return c.arg("flags")
}

// makesUser tells that the call makes a user namespace: it needs no capability for
// anything else that it makes with it.
func (c *Call) makesUser() bool { return c.cloneFlags()&unix.CLONE_NEWUSER != 0 }

// mayNotMake names the capability without which namespaces cannot be made.
func mayNotMake(c *Call) string {
	if c.makesUser() || c.cloneFlags()&namespaceFlags == 0 {
		return ""
	}
	return c.lacks("CAP_SYS_ADMIN", "user")
}

const namespaceFlags = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUTS |
	unix.CLONE_NEWIPC | unix.CLONE_NEWNET | unix.CLONE_NEWCGROUP | unix.CLONE_NEWTIME

// chrooted tells a caller whose root directory is not that of its mount namespace:
// it may not make a user namespace.
func chrooted(c *Call) string {
	if !c.makesUser() {
		return ""
	}
	root, home := c.look(unix.AT_FDCWD, "/", true), "/proc/1/root"
	var first unix.Stat_t
	mine, _ := os.Readlink("/proc/self/ns/mnt")
	if c.namespace("mnt") == mine {
		home = "/proc/self/root"
	}
	other := unix.Stat(home, &first) == nil && home == "/proc/self/root" && !same(&first, &root.stat)
	if !root.isMount() || other {
		return "the caller has been chrooted: its root directory is not that of its mount namespace"
	}
	return ""
}

// unmappedCaller tells a caller whose ids mean nothing in its user namespace.
func unmappedCaller(c *Call) string {
	if !c.makesUser() {
		return ""
	}
	for _, kind := range []string{"uid", "gid"} {
		if strings.TrimSpace(string(state.Read(c.TID, kind+"_map"))) == "" {
			return "the caller's " + kind + " is not mapped in " + c.namespace("user") + ": its " +
				kind + "_map is empty"
		}
	}
	return ""
}

// closedToUsers tells a machine on which only root may make user namespaces.
func closedToUsers(c *Call) string {
	if !c.makesUser() || c.able("CAP_SYS_ADMIN", "initial") {
		return ""
	}
	if sysctl("kernel/unprivileged_userns_clone") == "0" {
		return "kernel.unprivileged_userns_clone is 0: only root may make user namespaces here"
	}
	if sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1" {
		return "kernel.apparmor_restrict_unprivileged_userns is 1: AppArmor lets only programs with a " +
			"profile of their own make user namespaces"
	}
	return ""
}

// notHere tells a kind of namespace that the kernel does not have.
func notHere(c *Call) string {
	for _, s := range spaces {
		if c.cloneFlags()&s.flag == 0 {
			continue
		}
		if _, err := os.Readlink(c.proc("ns/" + s.name)); os.IsNotExist(err) {
			return "Linux " + release() + " has no " + s.name + " namespaces (" + s.flagged + ") here"
		}
	}
	return ""
}

// threaded tells a process of several threads, which may not change its user namespace.
func threaded(c *Call) string {
	flags := c.cloneFlags()
	if c.Name == "setns" && flags == 0 {
		flags = c.kindOf(c.fd("fd"))
	}
	n := c.number("Threads", 0)
	user := flags&unix.CLONE_NEWUSER != 0
	if n > 1 && (user && c.Name != "clone" && c.Name != "clone3" ||
		c.Name == "setns" && flags&(unix.CLONE_NEWNS|unix.CLONE_NEWTIME) != 0) {
		return fmt.Sprintf("the process has %d threads, and may have one only", n)
	}
	return ""
}

// kindOf is the flag of the namespace that a descriptor stands for, 0 for none.
func (c *Call) kindOf(fd int) uint64 {
	link := c.Frame.Memory.Path(fd)
	for _, s := range spaces {
		if strings.HasPrefix(link, s.name+":[") || strings.Contains(link, "/ns/"+s.name) {
			return s.flag
		}
	}
	return 0
}

// contradicting tells flags that exclude each other (clone(2), unshare(2)).
func contradicting(c *Call) string {
	flags := c.cloneFlags()
	for _, pair := range []struct {
		a, b  uint64
		words string
	}{
		{unix.CLONE_NEWNS, unix.CLONE_FS, "CLONE_NEWNS and CLONE_FS"},
		{unix.CLONE_NEWUSER, unix.CLONE_FS, "CLONE_NEWUSER and CLONE_FS"},
		{unix.CLONE_NEWPID, unix.CLONE_THREAD, "CLONE_NEWPID and CLONE_THREAD"},
		{unix.CLONE_NEWUSER, unix.CLONE_THREAD, "CLONE_NEWUSER and CLONE_THREAD"},
		{unix.CLONE_NEWIPC, unix.CLONE_SYSVSEM, "CLONE_NEWIPC and CLONE_SYSVSEM"},
		{unix.CLONE_NEWPID, unix.CLONE_PARENT, "CLONE_NEWPID and CLONE_PARENT"},
	} {
		if strings.HasPrefix(c.Name, "clone") && flags&pair.a != 0 && flags&pair.b != 0 {
			return pair.words + " exclude each other"
		}
	}
	if strings.HasPrefix(c.Name, "clone") &&
		flags&(unix.CLONE_THREAD|unix.CLONE_SIGHAND) == unix.CLONE_THREAD {
		return "CLONE_THREAD wants CLONE_SIGHAND"
	}
	return ""
}

// noMoreNamespaces tells which limit on namespaces has been reached (namespaces(7)).
func noMoreNamespaces(c *Call) string {
	for _, s := range spaces {
		if c.cloneFlags()&s.flag != 0 && sysctl("user/max_"+s.limits+"_namespaces") == "0" {
			return "user.max_" + s.limits + "_namespaces is 0"
		}
	}
	if n := c.depth(); c.makesUser() && n >= 32 {
		return fmt.Sprintf("user namespaces can be nested 32 deep, and the caller's is the %dth", n)
	}
	if c.cloneFlags()&unix.CLONE_NEWPID != 0 && len(strings.Fields(c.line("NStgid"))) > 32 {
		return "PID namespaces can be nested 32 deep"
	}
	for _, s := range spaces {
		if c.cloneFlags()&s.flag != 0 {
			name := "max_" + s.limits + "_namespaces"
			return "the limit user." + name + " of this user namespace or of one above it has been " +
				"reached (here it is " + sysctl("user/"+name) + ")"
		}
	}
	return ""
}

// depth is how deep the thread's user namespace is nested, as far as we may see.
func (c *Call) depth() int {
	fd, err := unix.Open(c.proc("ns/user"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	n := 0
	for ; err == nil; n++ {
		var parent int
		parent, err = unix.IoctlRetInt(fd, unix.NS_GET_PARENT)
		unix.Close(fd)
		fd = parent
	}
	return n
}

// noMoreTasks tells which limit on processes has been reached (fork(2)).
func noMoreTasks(c *Call) string {
	for line := range strings.Lines(string(state.Read(c.TID, "cgroup"))) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) < 3 || f[1] != "pids" && f[1] != "" {
			continue
		}
		for dir := c.cgroupDir(f[1], f[2]); len(dir) > 1; dir = path.Dir(dir) {
			most, now := read(dir+"/pids.max"), read(dir+"/pids.current")
			m, err := strconv.Atoi(most)
			n, _ := strconv.Atoi(now)
			if err == nil && n >= m {
				return fmt.Sprintf("the cgroup %s has %d tasks, and may have %d (pids.max)", dir, n, m)
			}
		}
	}
	if most := c.limit("processes"); most != "unlimited" && most != "" {
		return "the user has as many processes as the limit RLIMIT_NPROC allows: " + most
	}
	return ""
}

// deadInit tells a PID namespace in which nothing can be born any more.
func deadInit(c *Call) string {
	own, children := c.namespace("pid"), c.namespace("pid_for_children")
	if children != own && children == "" {
		return "the first process of the PID namespace for its children has ended"
	}
	return ""
}

// notNamespace tells a descriptor that is no namespace, or one of another kind.
func notNamespace(c *Call) string {
	link := c.Frame.Memory.Path(c.fd("fd"))
	kind := c.kindOf(c.fd("fd"))
	want := c.arg("nstype")
	switch {
	case link == "":
	case strings.Contains(link, "pidfd"):
		if want == 0 {
			return "with a pidfd, nstype says which namespaces to enter: it is 0"
		}
	case kind == 0:
		return "descriptor " + strconv.Itoa(c.fd("fd")) + " is no namespace, but " + link
	case want != 0 && want&kind == 0:
		return "descriptor " + strconv.Itoa(c.fd("fd")) + " is " + link +
			", not the kind that nstype says"
	}
	return ""
}

// entered is the namespace behind the descriptor of setns(2): its name, and the user
// namespace that owns it.
func (c *Call) entered() (name, owner string) {
	file := c.proc("fd/" + strconv.Itoa(c.fd("fd")))
	name = c.Frame.Memory.Path(c.fd("fd"))
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return name, ""
	}
	defer unix.Close(fd)
	up, err := unix.IoctlRetInt(fd, unix.NS_GET_USERNS)
	if err != nil {
		return name, ""
	}
	defer unix.Close(up)
	var st unix.Stat_t
	if unix.Fstat(up, &st) != nil {
		return name, ""
	}
	return name, "user:[" + strconv.FormatUint(st.Ino, 10) + "]"
}

func alreadyIn(c *Call) string {
	if name, _ := c.entered(); name == c.namespace("user") && name != "" {
		return "the caller is in " + name + " already, and cannot enter it again"
	}
	return ""
}

// mayNotEnter says over which user namespace the capability is needed.
func mayNotEnter(c *Call) string {
	if !c.has("CapEff", "CAP_SYS_ADMIN") {
		return "it needs CAP_SYS_ADMIN in its own user namespace, and in the owner of the one it enters"
	}
	name, owner := c.entered()
	if strings.HasPrefix(name, "user:") {
		owner = name
	}
	if owner != "" && owner != c.namespace("user") {
		return "it needs CAP_SYS_ADMIN in " + owner + ", and is in " + c.namespace("user")
	}
	return ""
}

// processGone tells a pidfd whose process has ended.
func processGone(c *Call) string {
	for _, name := range []string{"fd", "pidfd"} {
		if c.index(name) >= 0 && c.fdinfo(c.fd(name), "Pid") == "-1" {
			return "the process behind the pidfd has ended"
		}
	}
	for _, name := range []string{"pid", "tgid"} {
		if c.index(name) >= 0 && c.arg(name) != 0 {
			return "there is no process " + strconv.Itoa(c.fd(name))
		}
	}
	return ""
}

// longName tells a name that the UTS namespace cannot hold.
func longName(c *Call) string {
	const most = 64 // __NEW_UTS_LEN
	if n := c.arg("len"); n > most {
		return fmt.Sprintf("the name has %d bytes, and may have %d", n, most)
	}
	return ""
}
