package ptrace

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Refused tells why there is no ptrace here, when err is of that kind, or "".
func Refused(err error) string {
	var ended *EndedError
	switch {
	case errors.As(err, &ended) && ended.Status.Signal() == unix.SIGSYS:
		return "ptrace is forbidden (a seccomp filter ends who calls it)"
	case errors.Is(err, unix.ENOSYS):
		return "ptrace is not there (CPU emulation does not offer it)"
	case errors.Is(err, unix.EIO), errors.Is(err, unix.EINVAL):
		return "ptrace cannot tell about system calls (PTRACE_GET_SYSCALL_INFO: " +
			"Linux before 5.3, or gVisor)"
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES), errors.Is(err, unix.ESRCH):
		if tracer := ownTracer(); tracer != "" && tracer != "0" {
			return "kit itself is being traced, by process " + tracer +
				", and a process has one tracer only"
		}
		if scope := yama(); scope >= "2" {
			return "ptrace is forbidden (kernel.yama.ptrace_scope is " + scope + ")"
		}
		return "ptrace is forbidden (an outer container's seccomp filter or security module)"
	}
	return ""
}

// ownTracer returns the process that traces us, "0" for none (proc(5)).
func ownTracer() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(status), "\nTracerPid:")
	tracer, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(tracer)
}

// yama returns the scope of Yama, "" without it (Documentation/admin-guide/LSM/Yama.rst).
func yama() string {
	b, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
