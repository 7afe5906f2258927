package syscalls

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// CloneFlags returns the CLONE_* flags of a clone, clone3, fork or vfork.
func (c *Call) CloneFlags(f *Frame) uint64 {
	switch c.Name {
	case "clone":
		return f.Args[0]
	case "clone3":
		if w := words(f, f.Args[0], 1); len(w) == 1 {
			return w[0]
		}
	}
	return 0
}

// clone renders clone's flags: the lowest byte is the signal the parent gets.
func clone(raw uint64) string {
	text := flags(cloneFlags[:], raw&^0xff)
	if raw&0xff == 0 {
		return text
	}
	if raw&^0xff == 0 {
		return Signal(raw & 0xff)
	}
	return text + "|" + Signal(raw&0xff)
}

// clone3 renders struct clone_args (clone(2)), without what is zero.
func clone3(f *Frame, i int) string {
	w := words(f, f.Args[i], 11)
	if len(w) < 8 {
		return number("ptr", f, f.Args[i])
	}
	text := "{flags: " + flags(cloneFlags[:], w[0])
	if w[4] != 0 {
		text += ", exit_signal: " + Signal(w[4])
	}
	if len(w) > 10 && w[0]&unix.CLONE_INTO_CGROUP != 0 {
		text += ", cgroup: " + descriptor(f, w[10])
	}
	return text + "}"
}

// mountAttr renders struct mount_attr (mount_setattr(2)), without what is zero.
func mountAttr(f *Frame, i int) string {
	w := words(f, f.Args[i], 4)
	if len(w) < 4 {
		return number("ptr", f, f.Args[i])
	}
	var parts []string
	if w[0] != 0 {
		parts = append(parts, "attr_set: "+flags(mountAttrFlags[:], w[0]))
	}
	if w[1] != 0 {
		parts = append(parts, "attr_clr: "+flags(mountAttrFlags[:], w[1]))
	}
	if w[2] != 0 {
		parts = append(parts, "propagation: "+flags(mountFlags[:], w[2]))
	}
	if w[0]&unix.MOUNT_ATTR_IDMAP != 0 {
		parts = append(parts, "userns_fd: "+descriptor(f, w[3]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// message renders struct msghdr (sendmsg(2)): the first bytes, and the open
// files that come along.
func message(f *Frame, i int) string {
	w := words(f, f.Args[i], 6) // name, its length, iov, how many, control, its length
	if len(w) < 6 {
		return number("ptr", f, f.Args[i])
	}
	var parts []string
	if iov := words(f, w[2], 2); len(iov) == 2 && w[3] > 0 {
		length := iov[1]
		if f.Returned {
			length = min(length, uint64(f.Return))
		}
		parts = append(parts, "iov: "+bytesAt(f, iov[0], length))
	}
	if fds := rights(f, w[4], w[5]); fds != "" {
		parts = append(parts, "SCM_RIGHTS: "+fds)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// rights renders the file descriptors in a control message (unix(7)).
func rights(f *Frame, addr, length uint64) string {
	const (
		header = 16  // struct cmsghdr: length, level, type
		most   = 253 // SCM_MAX_FD in unix(7)
	)
	h := halves(f, addr, header/4)
	if length <= header || len(h) < header/4 || h[3] != unix.SCM_RIGHTS || uint64(h[0]) <= header {
		return ""
	}
	var fds []string
	n := min((min(uint64(h[0]), length)-header)/4, most)
	for _, fd := range halves(f, addr+header, int(n)) {
		fds = append(fds, descriptor(f, uint64(fd)))
	}
	return "[" + strings.Join(fds, ", ") + "]"
}

// capData renders the two struct __user_cap_data_struct of capset(2).
func capData(f *Frame, i int) string {
	w := halves(f, f.Args[i], 6)
	if len(w) < 6 {
		return number("ptr", f, f.Args[i])
	}
	set := func(i int) string { return Capabilities(uint64(w[i]) | uint64(w[i+3])<<32) }
	return fmt.Sprintf("{effective: %s, permitted: %s, inheritable: %s}", set(0), set(1), set(2))
}

// prctl2 renders the argument whose meaning depends on the first (prctl(2)).
func prctl2(f *Frame, i int) string {
	switch f.Args[0] {
	case unix.PR_SET_NAME:
		return quoted(f, i)
	case unix.PR_SET_PDEATHSIG:
		return Signal(f.Args[i])
	case unix.PR_CAPBSET_DROP, unix.PR_CAPBSET_READ:
		return Capability(int(f.Args[i]))
	case unix.PR_CAP_AMBIENT:
		return value(ambientOps[:], f.Args[i])
	case unix.PR_SET_VMA:
		return number("hex", f, f.Args[i])
	case unix.PR_SET_SECCOMP:
		return value(seccompModes[:], f.Args[i])
	case unix.PR_SET_SECUREBITS:
		return flags(secureBits[:], f.Args[i])
	}
	return strconv.FormatUint(f.Args[i], 10)
}

// prctl3 renders the next.
func prctl3(f *Frame, i int) string {
	switch {
	case f.Args[0] == unix.PR_SET_SECCOMP && f.Args[1] == unix.SECCOMP_MODE_FILTER:
		return filter(f, i)
	case f.Args[0] != unix.PR_CAP_AMBIENT:
	case f.Args[1] != unix.PR_CAP_AMBIENT_CLEAR_ALL:
		return Capability(int(f.Args[i]))
	}
	return number("hex", f, f.Args[i])
}

// Capability is the name of a capability by its number (capabilities(7)).
func Capability(n int) string {
	if n >= 0 && n < len(capabilities) {
		return "CAP_" + capabilities[n]
	}
	return strconv.Itoa(n)
}

// Capabilities renders a set of capabilities: by name, and where it holds most
// of them, by the names of those that are missing.
func Capabilities(set uint64) string {
	const known = 1<<len(capabilities) - 1
	switch missing := known &^ set; {
	case set == 0:
		return "none"
	case missing == 0:
		return "all"
	case bits.OnesCount64(missing) < 8:
		return "all but " + CapabilityList(missing)
	}
	return CapabilityList(set)
}

// CapabilityList names the capabilities of a set, one by one.
func CapabilityList(set uint64) string {
	var list []string
	for i := range 64 {
		if set&(1<<i) != 0 {
			list = append(list, Capability(i))
		}
	}
	return strings.Join(list, " ")
}

// capabilities are the names in linux/capability.h, by number, without CAP_.
var capabilities = [...]string{
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
	"SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
	"IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT",
	"SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
	"LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
	"WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
}
