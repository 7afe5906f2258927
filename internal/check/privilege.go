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
		{
			6, "capabilities", "none but Docker's 14 capabilities", 3, (*process).checkCapabilities,
			"What may it do that a user may not? grep Cap /proc/{pid}/status",
			"What root may do is some 41 capabilities, held by each thread in sets (capabilities(7)): " +
				"capset(2) drops them, and PR_CAP_AMBIENT_CLEAR_ALL the ambient ones.",
		},
		{
			6, "bounding", "no way to others by exec: the bounding set", 2, (*process).checkBounding,
			"What could a program gain that root executes? grep CapBnd /proc/{pid}/status",
			"At execve root, and files with capabilities, get what is in the bounding set; " +
				"PR_CAPBSET_DROP takes one out of it for good (capabilities(7), prctl(2)).",
		},
		{
			6, "no-new-privs", "no gain from set-user-ID programs", 1, (*process).checkNoNewPrivs,
			"Who is a user after su or sudo in there? grep NoNewPrivs /proc/{pid}/status",
			"With no_new_privs execve gives nothing that the caller has not: set-user-ID bits and file " +
				"capabilities do not count, for good (prctl(2), PR_SET_NO_NEW_PRIVS).",
		},
		{
			6, "seccomp", "a filter of system calls", 2, (*process).checkSeccomp,
			"Can it call mount, reboot, keyctl? grep Seccomp /proc/{pid}/status",
			"A filter is a program of BPF that the kernel runs at each system call; it is inherited " +
				"and never removed (seccomp(2), SECCOMP_SET_MODE_FILTER).",
		},
		{
			6, "masked", "files of the kernel that are covered", 1, (*process).checkMasked,
			"What does it read in /proc that is the whole machine's? cat /proc/timer_list in there",
			"Most of /proc knows no namespaces. A mount of /dev/null on a file, or of an empty tmpfs " +
				"on a directory, covers it (mount(2), MS_BIND).",
		},
		{
			6, "read-only", "settings of the kernel that cannot be written", 1, (*process).checkReadOnly,
			"Whose setting changes when it writes to /proc/sys/kernel?",
			"Most settings of /proc/sys are the machine's. A bind mount of a directory on itself can " +
				"be read-only while the rest is not (mount(2), MS_REMOUNT|MS_BIND|MS_RDONLY).",
		},
	}
}

// dockerCaps is the set that Docker leaves to a container's root (capabilities(7)): chown,
// dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw,
// sys_chroot, mknod, audit_write, setfcap.
const dockerCaps = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER |
	1<<unix.CAP_FSETID | 1<<unix.CAP_KILL | 1<<unix.CAP_SETGID | 1<<unix.CAP_SETUID |
	1<<unix.CAP_SETPCAP | 1<<unix.CAP_NET_BIND_SERVICE | 1<<unix.CAP_NET_RAW |
	1<<unix.CAP_SYS_CHROOT | 1<<unix.CAP_MKNOD | 1<<unix.CAP_AUDIT_WRITE | 1<<unix.CAP_SETFCAP

func (p *process) checkCapabilities() verdict {
	c := p.them.Capabilities
	const call = "capset without %s, right before execve and behind all mounts."
	for _, s := range []struct {
		name string
		set  inspect.CapSet
	}{
		{"CapEff", c.Effective},
		{"CapPrm", c.Permitted},
		{"CapInh", c.Inheritable},
		{"CapAmb", c.Ambient},
	} {
		if more := uint64(s.set) &^ dockerCaps; more != 0 {
			return no(beyond(s.name, uint64(s.set)),
				fmt.Sprintf("%s is %016x, and Docker's is %016x: "+call, s.name, uint64(s.set),
					uint64(dockerCaps), several(more)))
		}
	}
	if uint64(c.Bounding)&^dockerCaps != 0 && !p.rootInside() {
		return no("it has none, as every user: nothing was dropped for good",
			fmt.Sprintf(call, several(uint64(c.Bounding)&^dockerCaps))).
			unless("a bounding set without them")
	}
	v := yes("%s", procfs.CapNames(uint64(c.Effective)))
	mine := p.me.Capabilities
	return p.brought(uint64(mine.Permitted)&^dockerCaps == 0, p.everyThread(v,
		func(s procfs.Status) string {
			return beyond("", s.CapEff|s.CapPrm|s.CapInh|s.CapAmb)
		}))
}

// brought is the verdict v, unless the checker has it so itself, as in an outer container, and
// the process has the same root: then it has done nothing for it.
func (p *process) brought(mine bool, v verdict) verdict {
	if !v.done || !mine || p.rootErr != nil || p.ownRoot() {
		return v
	}
	return no("as you: it comes from where you both run", "Start it in a root directory of its own.").
		unless("a root directory of its own")
}

// beyond names capabilities that are not among Docker's.
func beyond(name string, set uint64) string {
	more := set &^ dockerCaps
	if more == 0 {
		return ""
	}
	return strings.TrimSpace(name + " has " + several(more))
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
		v := p.everyThread(yes("%s", procfs.CapNames(set)), func(s procfs.Status) string {
			return beyond("CapBnd", s.CapBnd)
		})
		return p.brought(uint64(p.me.Capabilities.Bounding)&^dockerCaps == 0, v)
	}
	return no(beyond("CapBnd", set),
		fmt.Sprintf("CapBnd is %016x, and Docker's is %016x: prctl(PR_CAPBSET_DROP, N) for %s, before "+
			"capset, as it needs CAP_SETPCAP.", set, uint64(dockerCaps), several(more)))
}

func (p *process) checkNoNewPrivs() verdict {
	if p.them.NoNewPrivs {
		v := p.everyThread(yes("NoNewPrivs is 1"), func(s procfs.Status) string {
			if s.NoNewPrivs {
				return ""
			}
			return "NoNewPrivs is 0"
		})
		return p.brought(p.me.NoNewPrivs, v)
	}
	return no("NoNewPrivs is 0", "NoNewPrivs is 0 in /proc/{pid}/status: "+
		"prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) before seccomp and execve.")
}

func (p *process) checkSeccomp() verdict {
	const call = "seccomp(SECCOMP_SET_MODE_FILTER, 0, program) in the thread that calls execve, " +
		"behind no_new_privs."
	s, mine := p.them.Seccomp, p.me.Seccomp
	filters := count(s.Filters, "filter")
	switch {
	case s.Mode != "filter":
		return no("mode "+s.Mode, "Seccomp is "+s.Mode+" in /proc/{pid}/status: "+call)
	case mine.Mode == "filter" && s.Filters <= mine.Filters:
		return no(filters+", and you have as many: it added none", filters+" came from outside: "+call)
	case s.Filters == 0: // before Linux 5.9
		filters = "a filter"
	}
	v := yes("%s; what it lets pass cannot be read without stopping the process", filters)
	return p.everyThread(v, func(s procfs.Status) string {
		if s.Seccomp == unix.SECCOMP_MODE_FILTER {
			return ""
		}
		return "no filter"
	})
}

// inProc is the verdict of judge on the files of its /proc, or that it has none that it could
// cover.
func (p *process) inProc(judge func(proc place) verdict, call string) verdict {
	return p.inRoot(func() verdict {
		if v, ok := p.readable("mnt"); !ok {
			return v
		}
		if !p.own("mnt") {
			return no("its mount namespace is yours", call).unless("a mount namespace of its own")
		}
		proc, err := p.beneathProc()
		if err != nil {
			return no("it has no /proc", call).unless("a /proc of its PID namespace")
		}
		return judge(proc)
	}, call)
}

func (p *process) checkMasked() verdict {
	const call = `mount("/dev/null", %q, "", MS_BIND, "") before CAP_SYS_ADMIN is dropped.`
	return p.inProc(func(proc place) verdict {
		covered, open := p.secrets(proc)
		if len(open) > 0 {
			return no(strings.Join(open, ", ")+" can be seen",
				fmt.Sprintf("%s is the kernel's own: "+call, open[0], open[0]))
		}
		if len(covered) == 0 {
			return verdict{none: true, got: "this kernel has none of the files that Docker covers"}
		}
		return yes("%s", strings.Join(covered, ", "))
	}, fmt.Sprintf(call, "/proc/timer_list"))
}

// secrets are files of /proc that Docker covers: those that are, inside, and those that are
// not. What the checker does not see itself is in neither.
func (p *process) secrets(proc place) (covered, open []string) {
	for _, name := range []string{"kcore", "keys", "timer_list", "sched_debug", "latency_stats"} {
		fd, err := p.beneath("proc/" + name)
		if err != nil {
			continue
		}
		at, err := placeOf(fd)
		unix.Close(fd)
		switch {
		case err != nil:
		case at.major != proc.major || at.minor != proc.minor:
			covered = append(covered, "/proc/"+name)
		default:
			open = append(open, "/proc/"+name)
		}
	}
	return covered, open
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
	const call = `mount(%[1]q, %[1]q, "", MS_BIND|MS_REC, ""), then mount("", %[1]q, "", ` +
		`MS_REMOUNT|MS_BIND|MS_RDONLY|MS_NOSUID|MS_NODEV|MS_NOEXEC, "").`
	return p.inProc(func(place) verdict {
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
		if len(writable) > 0 {
			return no(strings.Join(writable, ", ")+" can be written by its root",
				fmt.Sprintf(call, writable[0]))
		}
		return yes("/proc/sys and the like are mounted read-only")
	}, fmt.Sprintf(call, "/proc/sys"))
}
