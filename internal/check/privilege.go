package check

import (
	"fmt"
	"math/bits"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/inspect"
	"github.com/containerkit/kit/internal/procfs"
)

// privilegeExercises are those of step 6: capabilities, seccomp and masks.
func privilegeExercises() []exercise {
	return []exercise{
		{6, "capabilities", "none but Docker's 14 capabilities", 3, (*process).checkCapabilities},
		{6, "bounding", "no way to others by exec: the bounding set", 2, (*process).checkBounding},
		{6, "no-new-privs", "no gain from set-user-ID programs", 1, (*process).checkNoNewPrivs},
		{6, "seccomp", "a filter of system calls", 2, (*process).checkSeccomp},
		{6, "masked", "files of the kernel that are covered", 1, (*process).checkMasked},
		{6, "read-only", "settings of the kernel that cannot be written", 1, (*process).checkReadOnly},
	}
}

// dockerCaps is the set that Docker leaves to a container's root (capabilities(7)): chown,
// dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw,
// sys_chroot, mknod, audit_write, setfcap.
const dockerCaps = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER |
	1<<unix.CAP_FSETID | 1<<unix.CAP_KILL | 1<<unix.CAP_SETGID | 1<<unix.CAP_SETUID |
	1<<unix.CAP_SETPCAP | 1<<unix.CAP_NET_BIND_SERVICE | 1<<unix.CAP_NET_RAW |
	1<<unix.CAP_SYS_CHROOT | 1<<unix.CAP_MKNOD | 1<<unix.CAP_AUDIT_WRITE | 1<<unix.CAP_SETFCAP

// sets are the five of a process, by the names in its status file.
func sets(c inspect.Capabilities) []struct {
	name string
	set  inspect.CapSet
} {
	return []struct {
		name string
		set  inspect.CapSet
	}{
		{"CapEff", c.Effective}, {"CapPrm", c.Permitted}, {"CapInh", c.Inheritable},
		{"CapAmb", c.Ambient},
	}
}

func (p *process) checkCapabilities() verdict {
	c := p.them.Capabilities
	question := fmt.Sprintf("What may it do that a user may not? grep Cap /proc/%d/status", p.pid)
	const mechanism = "What root may do is 41 capabilities, held by each thread in sets " +
		"(capabilities(7)): capset(2) drops them, PR_CAP_AMBIENT the ambient ones."
	for _, s := range sets(c) {
		if more := uint64(s.set) &^ dockerCaps; more != 0 {
			return no(fmt.Sprintf("%s has %s", s.name, several(more)), question, mechanism,
				fmt.Sprintf("%s is %016x, and Docker's is %016x: capset without %s, right before "+
					"execve and behind all mounts.", s.name, uint64(s.set), uint64(dockerCaps),
					strings.Join(procfs.CapList(more), ", ")))
		}
	}
	if uint64(c.Bounding)&^dockerCaps != 0 && !p.rootInside() {
		return after("none, as every user; the bounding set would give them back",
			"a bounding set without them")
	}
	return yes("%s", procfs.CapNames(uint64(c.Effective)))
}

// rootInside tells that the process is uid 0 in its user namespace.
func (p *process) rootInside() bool {
	uid, ok := uint32(p.them.UIDs[1]), true
	if p.own("user") {
		uid, ok = p.them.UIDMap.Inside(uid)
	}
	return ok && uid == 0
}

// several names a few capabilities, and counts the others.
func several(set uint64) string {
	const few = 4
	n := bits.OnesCount64(set)
	if n <= few {
		return strings.Join(procfs.CapList(set), ", ")
	}
	list := procfs.CapList(set)[:few-1]
	if set&(1<<unix.CAP_SYS_ADMIN) != 0 {
		list = append([]string{"sys_admin"}, list[:few-2]...)
	}
	return fmt.Sprintf("%s and %d others", strings.Join(list, ", "), n-len(list))
}

func (p *process) checkBounding() verdict {
	set := uint64(p.them.Capabilities.Bounding)
	more := set &^ dockerCaps
	if more == 0 {
		return yes("%s", procfs.CapNames(set))
	}
	return no(fmt.Sprintf("CapBnd has %s", several(more)),
		fmt.Sprintf("What could a program gain that root executes? grep CapBnd /proc/%d/status", p.pid),
		"At execve root and files with capabilities get what they ask for, within the bounding set; "+
			"PR_CAPBSET_DROP takes one out of it for good (capabilities(7), prctl(2)).",
		fmt.Sprintf("CapBnd is %016x, and Docker's is %016x: prctl(PR_CAPBSET_DROP, N) for %s, before "+
			"capset, as it needs CAP_SETPCAP.", set, uint64(dockerCaps), several(more)))
}

func (p *process) checkNoNewPrivs() verdict {
	if p.them.NoNewPrivs {
		return yes("NoNewPrivs is 1")
	}
	return no("NoNewPrivs is 0",
		"Who is the user after su or sudo in there?",
		"no_new_privs makes execve give nothing that the caller has not: set-user-ID bits and file "+
			"capabilities count for nothing, for good (prctl(2), PR_SET_NO_NEW_PRIVS).",
		fmt.Sprintf("NoNewPrivs is 0 in /proc/%d/status: prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) before "+
			"seccomp and execve.", p.pid))
}

func (p *process) checkSeccomp() verdict {
	question := fmt.Sprintf("Can it call mount, reboot, keyctl? grep Seccomp /proc/%d/status", p.pid)
	const mechanism = "A filter is a program of BPF that the kernel runs at each system call; it is " +
		"inherited and never removed (seccomp(2), SECCOMP_SET_MODE_FILTER)."
	const call = "seccomp(SECCOMP_SET_MODE_FILTER, 0, program) in the thread that calls execve, " +
		"behind no_new_privs and as the last call but execve."
	s, mine := p.them.Seccomp, p.me.Seccomp
	if s.Mode != "filter" {
		return no("mode "+s.Mode, question, mechanism, "Seccomp is "+s.Mode+": "+call)
	}
	if mine.Mode == "filter" && s.Filters <= mine.Filters {
		return no(fmt.Sprintf("%s, and you have as many: it added none", count(s.Filters, "filter")),
			question, mechanism, fmt.Sprintf("Its %s came from where you both run: %s",
				count(s.Filters, "filter"), call))
	}
	if s.Filters == 0 { // before Linux 5.9
		return yes("a filter")
	}
	return yes("%s; what it says cannot be read without stopping the process",
		count(s.Filters, "filter"))
}

// secrets are files of /proc that Docker covers with nothing.
func secrets() []string {
	return []string{"kcore", "keys", "timer_list", "sched_debug", "latency_stats"}
}

// ownFiles is the verdict on a /proc that is the host's.
func (p *process) ownFiles() (v verdict, missing bool) {
	if v, missing := p.noRoot(); missing {
		return v, true
	}
	if !p.own("mnt") {
		return after("its mount namespace is yours", "a mount namespace of its own"), true
	}
	return verdict{}, false
}

func (p *process) checkMasked() verdict {
	if v, missing := p.ownFiles(); missing {
		return v
	}
	proc, err := p.beneathProc()
	if err != nil {
		return after("it has no /proc", "a /proc of its PID namespace")
	}
	var covered, open []string
	for _, name := range secrets() {
		if _, err := placeAt("/proc/" + name); err != nil {
			continue // this kernel has none, or yours is hidden, too
		}
		fd, err := p.beneath("proc/" + name)
		if err != nil {
			continue
		}
		at, err := placeOf(fd)
		unix.Close(fd)
		switch {
		case err != nil:
			return unknown(err)
		case at.major == proc.major && at.minor == proc.minor:
			open = append(open, "/proc/"+name)
		default:
			covered = append(covered, "/proc/"+name)
		}
	}
	if len(open) > 0 {
		return no(strings.Join(open, ", ")+" can be seen",
			"What can it read that is the whole machine's? cat "+open[0]+" in there",
			"Most of /proc knows no namespaces. A mount of /dev/null on a file, or of an empty tmpfs on "+
				"a directory, covers it (mount(2), MS_BIND).",
			fmt.Sprintf(`%s is the kernel's own: mount("/dev/null", %[1]q, "", MS_BIND, "") before `+
				"CAP_SYS_ADMIN is dropped.", open[0]))
	}
	if len(covered) == 0 {
		return p.nothingToMask()
	}
	return yes("%s", strings.Join(covered, ", "))
}

// nothingToMask is the verdict where neither has a file to cover.
func (p *process) nothingToMask() verdict {
	return hidden("this machine shows you none of the files to be covered")
}

// beneathProc is the place of its /proc, where that is one.
func (p *process) beneathProc() (place, error) {
	fd, err := p.beneath("proc")
	if err != nil {
		return place{}, err
	}
	defer unix.Close(fd)
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return place{}, err
	}
	if fs.Type != unix.PROC_SUPER_MAGIC {
		return place{}, fmt.Errorf("/proc: %w", unix.ENOENT)
	}
	return placeOf(fd)
}

func (p *process) checkReadOnly() verdict {
	if v, missing := p.ownFiles(); missing {
		return v
	}
	if _, err := p.beneathProc(); err != nil {
		return after("it has no /proc", "a /proc of its PID namespace")
	}
	var writable []string
	for _, path := range []string{"/proc/sys", "/proc/irq", "/proc/bus"} {
		fd, err := p.beneath(path[1:])
		if err != nil {
			continue
		}
		var fs unix.Statfs_t
		err = unix.Fstatfs(fd, &fs)
		unix.Close(fd)
		if err != nil {
			return unknown(err)
		}
		if fs.Flags&unix.ST_RDONLY == 0 {
			writable = append(writable, path)
		}
	}
	if len(writable) == 0 {
		return yes("/proc/sys and the like are mounted read-only")
	}
	return no(strings.Join(writable, ", ")+" can be written by its root",
		"Whose setting changes when it writes to /proc/sys/kernel?",
		"Most settings of /proc/sys are the machine's. A bind mount of a directory on itself can be "+
			"read-only while the rest is not (mount(2), MS_REMOUNT|MS_BIND|MS_RDONLY).",
		fmt.Sprintf(`mount(%[1]q, %[1]q, "", MS_BIND|MS_REC, ""), then mount("", %[1]q, "", `+
			`MS_REMOUNT|MS_BIND|MS_RDONLY|MS_NOSUID|MS_NODEV|MS_NOEXEC, "").`, writable[0]))
}
