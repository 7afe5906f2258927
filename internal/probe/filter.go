package probe

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Filtered returns those of the system calls that a seccomp filter denies; without
// names, of all that kit cannot do without. Each is made in a way that cannot succeed,
// and that the kernel refuses with another errno than filters do: EPERM and ENOSYS are
// the filter's own words.
func Filtered(names ...string) (denied []string) {
	for _, c := range calls() {
		if (len(names) == 0 || slices.Contains(names, c.name)) && c.denied() {
			denied = append(denied, c.name)
		}
	}
	return denied
}

// A call is one that fails, whoever makes it.
type call struct {
	name string
	nr   uintptr
	args [5]uintptr
}

func (c call) denied() bool {
	_, _, errno := unix.RawSyscall6(c.nr, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4], 0)
	return errno == unix.EPERM || errno == unix.ENOSYS || errno == unix.EACCES
}

func calls() []call {
	const nowhere, none = ^uintptr(0) - 4095, ^uintptr(0) // no address; no descriptor, no process
	return []call{
		// EINVAL: a new user namespace and a shared root directory do not go together.
		{"clone", unix.SYS_CLONE, [5]uintptr{unix.CLONE_NEWUSER | unix.CLONE_FS}},
		{"clone3", unix.SYS_CLONE3, [5]uintptr{}},                            // EINVAL: no arguments
		{"unshare", unix.SYS_UNSHARE, [5]uintptr{1}},                         // EINVAL: no such flag
		{"setns", unix.SYS_SETNS, [5]uintptr{none}},                          // EBADF
		{"mount", unix.SYS_MOUNT, [5]uintptr{0, nowhere, nowhere}},           // EFAULT
		{"ptrace", unix.SYS_PTRACE, [5]uintptr{unix.PTRACE_CONT, none >> 1}}, // ESRCH
		{"keyctl", unix.SYS_KEYCTL, [5]uintptr{none}},                        // EOPNOTSUPP
		{"pidfd_open", unix.SYS_PIDFD_OPEN, [5]uintptr{0, none}},             // EINVAL
		{"seccomp", unix.SYS_SECCOMP, [5]uintptr{none}},                      // EINVAL: no such operation
	}
}
