package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// namespaceExercises are those of step 2: namespaces, and the mounts of one.
func namespaceExercises() []exercise {
	return []exercise{
		{2, "mnt", "a mount namespace of its own", 1, ownNamespace("mnt")},
		{2, "pid", "a PID namespace of its own", 1, ownNamespace("pid")},
		{2, "uts", "a UTS namespace of its own", 1, ownNamespace("uts")},
		{2, "ipc", "an IPC namespace of its own", 1, ownNamespace("ipc")},
		{2, "init", "PID 1 of its PID namespace", 1, (*process).checkInit},
		{2, "proc", "a /proc of its PID namespace", 1, (*process).checkProc},
		{2, "hostname", "a host name of its own", 1, (*process).checkHostname},
		{2, "old-root", "no way back to the host's root: pivot_root", 2, (*process).checkOldRoot},
		{2, "propagation", "mounts that do not show up on the host", 1, (*process).checkPropagation},
		{2, "ids", "user ids that are mapped, root to nobody special", 1, (*process).checkIDs},
	}
}

// A kind is what hints say of a kind of namespace.
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
			"What does kill -0 with a number of the host's do in there?",
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

// ownNamespace judges by the inode of one kind of namespace.
func ownNamespace(name string) func(*process) verdict {
	return func(p *process) verdict {
		if v, ok := p.readable(name); !ok {
			return v
		}
		if p.own(name) {
			return yes("%s", p.link(name))
		}
		k := kindOf(name)
		found := p.link(name) + ", which is yours"
		call := fmt.Sprintf("The %s namespace is the host's (%s): unshare(%s), or clone with it%s.",
			k.full, p.link(name), k.flag, k.moment)
		if name == "pid" {
			found += p.awaited() + p.rather()
		}
		return no(found,
			fmt.Sprintf("%s Compare readlink /proc/self/ns/%s with /proc/%d/ns/%[2]s.",
				k.question, name, p.pid),
			fmt.Sprintf("A process is born in the namespaces of its parent. clone(2) and unshare(2) "+
				"make new ones, by flags; %s tells what this one holds.", k.page), call)
	}
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
	last := pids[len(pids)-1]
	if len(pids) > len(p.me.Pids) && last == 1 {
		return yes("%d for you, 1 inside", pids[0])
	}
	found := fmt.Sprintf("%d, as for you", pids[0])
	call := fmt.Sprintf("It is %d in your own PID namespace: clone(CLONE_NEWPID), or fork after "+
		"unshare(CLONE_NEWPID), and let the first child execve the command.", pids[0])
	if len(pids) > len(p.me.Pids) {
		found = fmt.Sprintf("%d for you, %d inside: not the first one there", pids[0], last)
		call = fmt.Sprintf("Process %d is number %d in there, a child of the first one: check that "+
			"one, or exec the command instead of forking it.", pids[0], last)
	}
	return no(found+p.rather(),
		fmt.Sprintf("What number has it inside? grep NSpid /proc/%d/status", p.pid),
		"The first process that is born in a PID namespace is its PID 1, the parent of orphans: "+
			"with it all others end (pid_namespaces(7)).", call)
}

// checkProc asks the file system at its /proc about the process by the number that it has in
// its own PID namespace: another instance knows another process by that number, or none.
func (p *process) checkProc() verdict {
	if v, ok := p.readable("pid"); !ok {
		return v
	}
	if !p.own("pid") {
		return after("its PID namespace is yours, and so is what any /proc of it shows",
			"a PID namespace of its own")
	}
	mechanism := "A proc file system shows the PID namespace of who mounted it, for good. A process " +
		"in a new one still sees the old /proc until it mounts another (proc(5))."
	call := `mount("proc", "/proc", "proc", MS_NOSUID|MS_NODEV|MS_NOEXEC, "") in the process ` +
		"that is PID 1 inside, under the new root."
	question := fmt.Sprintf("What does ps show in there? ls /proc/%d/root/proc", p.pid)
	fd, err := p.beneath("proc")
	if err != nil {
		return no("it has no /proc ("+reason(err)+")", question, mechanism, "There is none: "+call)
	}
	defer unix.Close(fd)
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return unknown(err)
	}
	if fs.Type != unix.PROC_SUPER_MAGIC {
		return no("nothing is mounted on its /proc", question, mechanism,
			fmt.Sprintf("Its /proc is of type %#x, not proc: %s", fs.Type, call))
	}
	number := p.them.Pids[len(p.them.Pids)-1]
	var link [64]byte
	n, err := unix.Readlinkat(fd, fmt.Sprintf("%d/ns/pid", number), link[:])
	if err == nil && string(link[:n]) == p.link("pid") {
		return yes("it shows process %d of %s", number, p.link("pid"))
	}
	other := "no process " + fmt.Sprint(number)
	if err == nil {
		other = fmt.Sprintf("process %d of %s", number, link[:n])
	}
	return no(fmt.Sprintf("it is that of another PID namespace: it shows %s", other),
		question, mechanism, "The /proc inside is the old one: "+call)
}

func (p *process) checkHostname() verdict {
	if v, ok := p.readable("uts"); !ok {
		return v
	}
	if !p.own("uts") {
		return after(fmt.Sprintf("it is that of the host, %q", p.me.Hostname),
			"a UTS namespace of its own")
	}
	name, err := p.hostname()
	if err != nil {
		return unknown(err)
	}
	if name != p.me.Hostname {
		return yes("%q, the host's is %q", name, p.me.Hostname)
	}
	return no(fmt.Sprintf("%q, as the host's", name),
		"What does uname -n print in there?",
		"A new UTS namespace begins with a copy of the names (uts_namespaces(7)): sethostname(2) "+
			"changes them for it alone.",
		fmt.Sprintf("Its own namespace %s still has the host's name %q: sethostname(\"box\") in it.",
			p.link("uts"), name))
}

// checkOldRoot looks for what a change of root directory alone leaves there.
func (p *process) checkOldRoot() verdict {
	if v, missing := p.noRoot(); missing {
		return v
	}
	if v, ok := p.readable("mnt"); !ok {
		return v
	}
	if !p.own("mnt") {
		return after("its mount namespace is yours, with your root in it", "a mount namespace of its own")
	}
	const question = "Does a second chroot lead out of it again? kit attack 1 tries."
	const mechanism = "chroot(2) changes one process's root directory: the host's root stays mounted " +
		"above it. pivot_root(2) changes the root mount of the namespace, and umount2(MNT_DETACH) " +
		"then removes the old one."
	if p.top() == nil {
		return no("its / is no mount point, as chroot leaves it", question, mechanism,
			fmt.Sprintf("%s is a directory of a mount: mount(root, root, \"\", MS_BIND|MS_REC, \"\"), "+
				`chdir(root), pivot_root(".", "."), umount2(".", MNT_DETACH).`, p.them.Root))
	}
	up, err := above(p.root)
	if err != nil {
		return unknown(err)
	}
	defer unix.Close(up)
	if at, err := placeOf(up); err != nil || at != p.rootID {
		return no("from its / a way leads up: it is not the root mount of its namespace", question,
			mechanism, fmt.Sprintf("Above its / is another directory (%s): pivot_root in place of "+
				"chroot, then umount2 the old root with MNT_DETACH.", at))
	}
	if m := p.oldRoot(); m != nil {
		return no(fmt.Sprintf("the host's root is mounted on %s", m.Mountpoint), question, mechanism,
			fmt.Sprintf("Mount %d, on %s, is the host's root (%d:%d %s): umount2(%[2]q, MNT_DETACH) "+
				"after pivot_root.", m.ID, m.Mountpoint, m.Major, m.Minor, m.Root))
	}
	return yes("its / is the root mount of %s, and your root is not mounted there", p.link("mnt"))
}

// oldRoot is a mount of the checker's root in the process's mount namespace.
func (p *process) oldRoot() *mountinfo.Info {
	var mine *mountinfo.Info
	for _, m := range p.host {
		if m.Mountpoint == "/" {
			mine = m
		}
	}
	for _, list := range [][]*mountinfo.Info{p.seen, p.all} {
		for _, m := range list {
			if mine != nil && m.Major == mine.Major && m.Minor == mine.Minor && m.Root == mine.Root {
				return m
			}
		}
	}
	return nil
}

func (p *process) checkPropagation() verdict {
	if v, ok := p.readable("mnt"); !ok {
		return v
	}
	if !p.own("mnt") {
		return after("its mount namespace is yours", "a mount namespace of its own")
	}
	if len(p.all) == 0 {
		return unknown(fmt.Errorf("its mounts cannot be seen from its root: %w", unix.EACCES))
	}
	mine := map[string]string{}
	for _, m := range p.host {
		if g := peers(m); g != "" {
			mine[g] = m.Mountpoint
		}
	}
	for _, m := range p.all {
		at, ok := mine[peers(m)]
		if !ok {
			continue
		}
		return no(fmt.Sprintf("%s is in peer group %s, as %s on the host", m.Mountpoint, peers(m), at),
			"If it mounts something below there, does findmnt on the host show it?",
			"A new mount namespace begins with a copy of all mounts, and a copy of a shared one is "+
				"its peer: what is mounted below one shows up below the other "+
				"(mount_namespaces(7), shared subtrees).",
			fmt.Sprintf(`Mount %d, on %s, is shared:%s with the host: mount("", "/", "", `+
				`MS_REC|MS_PRIVATE, "") first of all in the new namespace.`,
				m.ID, m.Mountpoint, peers(m)))
	}
	return yes("none of %s is a peer of one of the host's", count(len(p.all), "mount"))
}

// peers is the number of a shared mount's peer group, "" where it is not shared.
func peers(m *mountinfo.Info) string {
	for word := range strings.FieldsSeq(m.Optional) {
		if group, ok := strings.CutPrefix(word, "shared:"); ok {
			return group
		}
	}
	return ""
}

func (p *process) checkIDs() verdict {
	if v, ok := p.readable("user"); !ok {
		return v
	}
	if !p.own("user") {
		return verdict{none: true, got: "it is in your user namespace: no ids to map"}
	}
	for _, key := range []string{"uid_map", "gid_map"} {
		if why, missing := p.them.Errors[key]; missing {
			return hidden(why)
		}
	}
	const question = "Who is it inside, and who outside? Compare id in there with ps -o uid outside."
	mechanism := "In a new user namespace everybody is the overflow id 65534 until somebody writes " +
		"uid_map, setgroups and gid_map, once (user_namespaces(7))."
	uid, found := p.them.UIDMap.Outside(0)
	gid, both := p.them.GIDMap.Outside(0)
	if !found || !both {
		return no(fmt.Sprintf("uid map %s, gid map %s: no root in it", p.them.UIDMap, p.them.GIDMap),
			question, mechanism, fmt.Sprintf("%s has no root: from outside write \"0 %d 1\" to "+
				"/proc/%d/uid_map, deny to setgroups, and the same to gid_map, before it execs.",
				p.link("user"), p.them.UIDs[0], p.pid))
	}
	if uid == 0 {
		return no("root inside is root outside", question, mechanism,
			fmt.Sprintf("%s maps 0 to 0: map 0 to ids that nobody has, as with \"0 100000 65536\".",
				p.link("user")))
	}
	return yes("uid 0 inside is %d outside, gid 0 is %d", uid, gid)
}

// below tells that a path is dir or in it.
func below(name, dir string) bool {
	return name == dir || strings.HasPrefix(name, strings.TrimSuffix(path.Clean(dir), "/")+"/")
}

// option finds a mount option "key=value".
func option(options, key string) (string, bool) {
	words := strings.Split(options, ",")
	i := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, key+"=") })
	if i < 0 {
		return "", false
	}
	return words[i][len(key)+1:], true
}
