package bpf

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// action names what a filter returns (seccomp(2)): ALLOW, EPERM, KILL_PROCESS.
func action(result uint32) string {
	data := result & unix.SECCOMP_RET_DATA
	switch result & unix.SECCOMP_RET_ACTION_FULL {
	case unix.SECCOMP_RET_ALLOW:
		return "ALLOW"
	case unix.SECCOMP_RET_ERRNO:
		if name := unix.ErrnoName(unix.Errno(data)); name != "" {
			return name
		}
		return "errno " + strconv.Itoa(int(data))
	case unix.SECCOMP_RET_KILL_PROCESS:
		return "KILL_PROCESS"
	case unix.SECCOMP_RET_KILL_THREAD:
		return "KILL_THREAD"
	case unix.SECCOMP_RET_TRAP:
		return "TRAP"
	case unix.SECCOMP_RET_LOG:
		return "LOG"
	case unix.SECCOMP_RET_TRACE:
		return "TRACE"
	case unix.SECCOMP_RET_USER_NOTIF:
		return "USER_NOTIF"
	}
	return fmt.Sprintf("0x%x", result)
}

// allowed tells that a call with this result happens.
func allowed(result uint32) bool {
	a := result & unix.SECCOMP_RET_ACTION_FULL
	return a == unix.SECCOMP_RET_ALLOW || a == unix.SECCOMP_RET_LOG
}

// archName names an architecture (AUDIT_ARCH_* in linux/audit.h), as uname -m does.
func archName(audit uint32) string {
	switch audit {
	case unix.AUDIT_ARCH_X86_64:
		return "x86_64"
	case unix.AUDIT_ARCH_I386:
		return "i386"
	case unix.AUDIT_ARCH_AARCH64:
		return "aarch64"
	case unix.AUDIT_ARCH_ARM:
		return "arm"
	}
	return fmt.Sprintf("0x%x", audit)
}
