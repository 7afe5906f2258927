package check

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/inspect"
)

// namespaceExercises are those of step 2: namespaces, and the mounts of one.
func namespaceExercises() []exercise {
	return append([]exercise{
		ownNamespace(2, "mnt", 1), ownNamespace(2, "pid", 1),
		ownNamespace(2, "uts", 1), ownNamespace(2, "ipc", 1),
		{
			2, "init", "PID 1 of its PID namespace", 1, (*process).checkInit,
			"What number has it inside? grep NSpid /proc/{pid}/status",
			"The first process that is born in a PID namespace is its PID 1, the parent of orphans: " +
				"with it all others end (pid_namespaces(7)).",
		},
		{
			2, "proc", "a /proc of its PID namespace", 1, (*process).checkProc,
			"What does ps show in there? ls /proc/{pid}/root/proc",
			"A proc file system shows the PID namespace of who mounted it, for good. A process in a " +
				"new one still sees the old /proc until it mounts another (proc(5)).",
		},
		{
			2, "hostname", "a host name of its own", 1, (*process).checkHostname,
			"What does uname -n print in there?",
			"A new UTS namespace begins with a copy of the names (uts_namespaces(7)): sethostname(2) " +
				"changes them for it alone.",
		},
	}, mountExercises()...)
}

// A kind is what is said of a kind of namespace.
type kind struct{ full, flag, page, question, moment string }

func kindOf(name string) kind {
	switch name {
	case "mnt":
		return kind{
			"mount", "CLONE_NEWNS", "mount_namespaces(7)",
			"If this process mounts something, who sees it?", ", before its first mount",
		}
	case "pid":
		return kind{
			"PID", "CLONE_NEWPID", "pid_namespaces(7)",
			"Whom does it reach with a number of the host's?",
			": unshare puts only children that are born later in it, so fork after it",
		}
	case "uts":
		return kind{
			"UTS", "CLONE_NEWUTS", "uts_namespaces(7)",
			"If this process sets the host name, whose changes?", ", before sethostname",
		}
	case "ipc":
		return kind{
			"IPC", "CLONE_NEWIPC", "ipc_namespaces(7)",
			"Does ipcs list the same in there as outside?", "",
		}
	case "net":
		return kind{
			"network", "CLONE_NEWNET", "network_namespaces(7)",
			"Does ip link list the same interfaces in there as outside?", "",
		}
	}
	return kind{
		"cgroup", "CLONE_NEWCGROUP", "cgroup_namespaces(7)",
		"What does /proc/self/cgroup tell in there?", ", once it has been moved to its cgroup",
	}
}

// ownNamespace asks for one kind of namespace, and judges by its inode.
func ownNamespace(step int, name string, of int) exercise {
	k := kindOf(name)
	article := "a "
	if name == "ipc" {
		article = "an "
	}
	return exercise{
		step, name, article + k.full + " namespace of its own", of,
		func(p *process) verdict { return p.checkNamespace(name, k) },
		fmt.Sprintf("%s Compare readlink /proc/self/ns/%s with /proc/{pid}/ns/%[2]s.",
			k.question, name),
		fmt.Sprintf("A process is born in the namespaces of its parent. clone(2) and unshare(2) make "+
			"new ones, by flags; %s tells what this one holds.", k.page),
	}
}

func (p *process) checkNamespace(name string, k kind) verdict {
	if v, ok := p.readable(name); !ok {
		return v
	}
	tid, other := p.stray(name)
	switch {
	case tid != 0:
		return oneThread(fmt.Sprintf("%s, but its thread %d is in %s", p.link(name), tid, other), tid)
	case p.own(name):
		return yes("%s", p.link(name))
	}
	got := p.link(name) + ", which is yours"
	if name == "pid" {
		got += p.awaited() + p.rather()
	}
	return no(got, fmt.Sprintf("The %s namespace is the host's (%s): unshare(%s), or clone with it%s.",
		k.full, p.link(name), k.flag, k.moment))
}

// awaited tells of a PID namespace that the process has made and is not in.
func (p *process) awaited() string {
	for _, n := range p.them.Children {
		if n.Kind == "pid_for_children" && n.Inode != p.namespace("pid").Inode &&
			p.them.Errors["children."+n.Kind] == "" {
			return "; its children are born in another one"
		}
	}
	return ""
}

func (p *process) checkInit() verdict {
	pids := p.them.Pids
	nested := len(pids) > len(p.me.Pids)
	last := pids[len(pids)-1]
	switch {
	case nested && last == 1:
		return yes("%d for you, 1 inside", pids[0])
	case nested:
		return no(fmt.Sprintf("%d for you, %d inside: not the first one there", pids[0], last),
			fmt.Sprintf("Process %d is number %d in there: check the one that is number 1, or exec "+
				"the command instead of forking it.", pids[0], last))
	}
	return no(fmt.Sprintf("%d, as for you", pids[0])+p.rather(),
		fmt.Sprintf("It is %d in your own PID namespace: clone(CLONE_NEWPID), or fork after "+
			"unshare(CLONE_NEWPID), and let the first child execve the command.", pids[0]))
}

// checkProc asks the file system at its /proc about the process by the number that it has in
// its own PID namespace: another instance knows another process by that number, or none.
func (p *process) checkProc() verdict {
	const mount = `mount("proc", "/proc", "proc", MS_NOSUID|MS_NODEV|MS_NOEXEC, "") in the process ` +
		"that is PID 1 inside, under the new root."
	if v, ok := p.readable("pid"); !ok {
		return v
	}
	if !p.own("pid") {
		return no("its PID namespace is yours, and so are the processes in any /proc of it",
			mount).unless("a PID namespace of its own")
	}
	fd, err := p.beneath("proc")
	if err != nil {
		return no("it has none: "+inspect.Reason(err), "mkdir /proc in the new root, and "+mount)
	}
	defer unix.Close(fd)
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return unknown(err)
	}
	if fs.Type != unix.PROC_SUPER_MAGIC {
		return no("no proc file system is mounted there",
			fmt.Sprintf("Its /proc is of type %#x, not proc (%#x): %s", fs.Type,
				unix.PROC_SUPER_MAGIC, mount))
	}
	number := p.them.Pids[len(p.them.Pids)-1]
	var link [64]byte
	n, err := unix.Readlinkat(fd, fmt.Sprintf("%d/ns/pid", number), link[:])
	if err == nil && string(link[:n]) == p.link("pid") {
		return yes("it shows process %d of %s", number, p.link("pid"))
	}
	return no(fmt.Sprintf("it is that of another PID namespace: it does not know %d as one of %s",
		number, p.link("pid")), "The /proc inside is the old one: "+mount)
}

func (p *process) checkHostname() verdict {
	if v, ok := p.readable("uts"); !ok {
		return v
	}
	if !p.own("uts") {
		return no(fmt.Sprintf("it is that of the host, %q", p.me.Hostname),
			`sethostname("box") in the new namespace.`).unless("a UTS namespace of its own")
	}
	name, err := p.hostname()
	if err != nil {
		return unknown(err)
	}
	if name != p.me.Hostname {
		return yes("%q, the host's is %q", name, p.me.Hostname)
	}
	return no(fmt.Sprintf("%q, as the host's", name),
		fmt.Sprintf(`%s still has the host's name, %q: sethostname("box") in it.`,
			p.link("uts"), name))
}
