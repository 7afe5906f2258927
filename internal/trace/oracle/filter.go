package oracle

import (
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/bpf"
	"github.com/containerkit/kit/internal/trace/syscalls"
)

// filtered tells that a seccomp filter of the thread answers the call with the errno,
// rather than the kernel.
func filtered(c *Call) string {
	if c.line("Seccomp") != "2" {
		return ""
	}
	number := uint32(slices.Index(syscalls.Names(), c.Name))
	for i := 0; ; i++ {
		filter := c.filter(i)
		if len(filter) == 0 {
			return ""
		}
		may, always := filter.Answers(syscalls.Arch, number, c.Errno)
		if always {
			return "the thread's seccomp filter answers every " + c.Name + " so: the kernel is not asked"
		}
		if may && c.able(c.needed()) {
			return "the thread's seccomp filter answers " + c.Name + " so, by its arguments"
		}
	}
}

// needed is the call's capability.
func (c *Call) needed() (capability, over string) {
	capability, over = c.Capability()
	if over == "" {
		return "CAP_SYS_ADMIN", "user"
	}
	return capability, over
}

// mayBeFiltered is filtered where the filter cannot be read.
func mayBeFiltered(c *Call) string {
	if c.line("Seccomp") == "2" && len(c.filter(0)) == 0 {
		return "the thread has a seccomp filter, which may answer it so"
	}
	return ""
}

// filter is one of the thread's filters, the last one loaded first. Its tracer may read
// it where it is root (PTRACE_SECCOMP_GET_FILTER in ptrace(2)).
func (c *Call) filter(i int) bpf.Program {
	n, errno := c.getFilter(i, nil)
	if errno != 0 || n == 0 || n > unix.BPF_MAXINSNS {
		return nil
	}
	filter := make(bpf.Program, n)
	if _, errno = c.getFilter(i, &filter[0]); errno != 0 {
		return nil
	}
	return filter
}

func (c *Call) getFilter(i int, to *unix.SockFilter) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_SECCOMP_GET_FILTER, uintptr(c.TID),
		uintptr(i), uintptr(unsafe.Pointer(to)), 0, 0)
	return int(n), errno
}
