package capsseccomp

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// loadFilter gives the kernel a program to run before every system call that this
// process makes from here on. It is written for a small machine with one register
// (classic BPF), sees the number of the call, the architecture whose numbers these
// are, and the six arguments, and returns what shall happen: let it pass, answer
// with an errno, or kill the process. It cannot follow a pointer, so it never sees
// the path in open(2). Children inherit it; filters can be added, but never removed.
//
// kit makes the program from a profile in Docker's form (package internal/seccomp).
func loadFilter(c *container.Container) error {
	filter := c.Security.Filter
	if len(filter) == 0 {
		return nil // unconfined
	}
	program := unix.SockFprog{
		Len:    uint16(len(filter) / unix.SizeofSockFilter), // instructions
		Filter: (*unix.SockFilter)(unsafe.Pointer(&filter[0])),
	}
	flags := uintptr(0)
	switch {
	case c.Init:
		// The threads of an init stay, and root inside could use one without a filter.
		flags = unix.SECCOMP_FILTER_FLAG_TSYNC
	case c.Security.NoNewPrivs:
		// A strict profile denies what the Go runtime needs, and only execve is to come.
		container.HoldStill()
	}
	// The kernel checks every call of this thread against the profile from now on. The
	// other threads end at execve; those of an init get the filter, too.
	thread, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		flags, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("seccomp %s: %w", c.Security.Profile, errno)
	}
	if thread != 0 {
		return fmt.Errorf("seccomp %s: thread %d has another filter", c.Security.Profile, thread)
	}
	return nil
}
