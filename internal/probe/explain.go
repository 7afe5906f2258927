package probe

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Explain says why a process could not be started in new namespaces, CLONE_NEW*
// as in clone(2), or not be set up in them; err wraps the errno.
func Explain(flags uintptr, err error) []Fact { return explain(thisMachine(), flags, err) }

func explain(m machine, flags uintptr, err error) []Fact {
	var facts []Fact
	switch {
	case !m.proc:
		facts = append(facts, Fact{
			"there is no /proc here",
			"the maps of a user namespace are written through it",
			"mount -t proc proc /proc",
		})
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EUSERS):
		facts = m.limits(flags)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		facts = m.absent(flags)
	case errors.Is(err, unix.EAGAIN):
		facts = append(facts, Fact{
			"no more processes",
			"a limit on processes is reached: RLIMIT_NPROC (ulimit -u) or pids.max of your cgroup",
			"end some, or raise the limit",
		})
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		facts = m.denied(flags)
	}
	return orUnknown(facts, err)
}

// Confined says who keeps kit from something else than new namespaces, as far as that
// can be seen: a filter on system calls, or a security module.
func Confined(err error) []Fact { return thisMachine().confined(err) }

func (m machine) confined(err error) []Fact {
	var facts []Fact
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		facts = slices.Concat(m.filtered(), m.restricted(), m.labelled())
	}
	return orUnknown(facts, err)
}

func orUnknown(facts []Fact, err error) []Fact {
	if len(facts) > 0 {
		return facts
	}
	return []Fact{{
		fmt.Sprintf("the kernel refuses: %v", err),
		"none of the usual reasons holds here",
		"see the kernel log (dmesg), and what kit doctor says; kit vm goes without this kernel",
	}}
}

// limits explains ENOSPC: too many namespaces, of which none may be enough.
func (m machine) limits(flags uintptr) []Fact {
	for _, k := range kinds() {
		name := "user.max_" + k.name + "_namespaces"
		if flags&k.flag != 0 && m.sysctl(name) == "0" {
			return []Fact{{
				name + " is 0",
				"the administrator allows no " + k.name + " namespaces here",
				"as root of the host: sysctl -w " + name + "=15000, or run kit as root",
			}}
		}
	}
	return []Fact{{
		"too many namespaces",
		"a limit of user.max_*_namespaces is reached, or user namespaces are nested 32 deep",
		"end the processes that hold namespaces (lsns), or raise the limit (sysctl user)",
	}}
}

// absent explains EINVAL and ENOSYS: the kernel knows no such namespaces.
func (m machine) absent(flags uintptr) []Fact {
	if name := m.missing(flags); name != "" {
		return []Fact{{
			"the kernel has no " + name + " namespaces",
			"it is too old, or was built without them: there is no /proc/self/ns/" + name,
			"run kit on another kernel, or in a virtual machine",
		}}
	}
	return m.filtered()
}

// denied explains EPERM and EACCES.
func (m machine) denied(flags uintptr) []Fact {
	if flags&unix.CLONE_NEWUSER != 0 {
		if facts := m.deniedUser(); len(facts) > 0 {
			return facts
		}
		return append(m.filtered(), append(m.restricted(), m.labelled()...)...)
	}
	if !m.root {
		return []Fact{{
			"you are not root here",
			"new namespaces need CAP_SYS_ADMIN, or a new user namespace with them",
			"run kit as root, or with a user namespace",
		}}
	}
	return append(m.filtered(), m.labelled()...)
}

// deniedUser explains why there is no user namespace where that is certain.
func (m machine) deniedUser() []Fact {
	var facts []Fact
	add := func(holds bool, problem, why, fix string) {
		if holds {
			facts = append(facts, Fact{problem, why, fix})
		}
	}
	add(m.chrooted, "kit runs inside a chroot",
		"the kernel makes no user namespace for a process whose / is not that of its mount namespace",
		"start kit outside of the chroot")
	add(m.unmapped, "your uid or gid does not exist in this user namespace",
		"only ids that are mapped can be mapped again",
		"start kit as a user who is in /proc/self/uid_map and gid_map")
	const clone = "kernel.unprivileged_userns_clone"
	add(!m.root && m.sysctl(clone) == "0", clone+" is 0",
		"this kernel, Debian's or one like it, lets only root make user namespaces",
		"as root: sysctl -w "+clone+"=1, or run kit as root")
	return facts
}

// restricted explains why the root of a user namespace has no power.
func (m machine) restricted() []Fact {
	const name = "kernel.apparmor_restrict_unprivileged_userns"
	if m.root && !m.inner || m.sysctl(name) != "1" {
		return nil
	}
	return []Fact{{
		name + " is 1",
		"AppArmor (Ubuntu 23.10 and later) takes all power from the root of a user's namespace, " +
			"except for programs with a profile that allows it",
		"as root: give kit a profile with \"userns,\" in /etc/apparmor.d, " +
			"or sysctl -w " + name + "=0, or run kit as root",
	}}
}

// filtered explains a refusal where somebody filters our system calls.
func (m machine) filtered() []Fact {
	if len(m.barred) == 0 {
		return nil
	}
	what := "a seccomp filter denies " + strings.Join(m.barred, ", ")
	if m.container != "" {
		what = "kit runs inside a container (" + m.container + ") where " + what
	}
	return []Fact{{
		what,
		"docker's default filter does, for who has not CAP_SYS_ADMIN",
		"start kit outside of it, or start that container with " +
			"--security-opt seccomp=unconfined --security-opt apparmor=unconfined",
	}}
}

// labelled explains a refusal by a security module.
func (m machine) labelled() []Fact {
	if m.label == "" || strings.Contains(m.label, "unconfined") {
		return nil
	}
	return []Fact{{
		"a security module confines kit as " + m.label,
		"AppArmor's profile of docker denies mount, SELinux and others may deny namespaces",
		"see the kernel log (dmesg) for what was denied; " +
			"for docker: --security-opt apparmor=unconfined",
	}}
}
