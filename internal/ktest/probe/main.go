//go:build linux

// Probe makes system calls, and prints for each what the kernel said: "ok", or the
// name of the errno. Without arguments it makes all that it knows. It is meant for
// the inside of a container; what it asks of the kernel as a whole is nonsense, so
// that nothing happens where it is allowed.
//
//	probe [NAME...]
//	probe raw NR...
//	probe seize PID
//	probe keyring
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A try is one call.
type try struct {
	name string
	nr   uintptr
	args [6]uintptr
}

func main() {
	runtime.LockOSThread()
	only := os.Args[1:]
	if len(only) > 0 && only[0] == "raw" {
		raw(only[1:])
		return
	}
	if len(only) > 0 && only[0] == "keyring" {
		fmt.Println(unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false))
		return
	}
	if len(only) > 1 && only[0] == "seize" {
		seize(only[1])
		return
	}
	wanted := func(name string) bool { return len(only) == 0 || slices.Contains(only, name) }
	for _, t := range tries() {
		if wanted(t.name) {
			a := t.args
			_, _, errno := unix.RawSyscall6(t.nr, a[0], a[1], a[2], a[3], a[4], a[5])
			say(t.name, errno)
		}
	}
	for _, d := range deeds() {
		if wanted(d.name) {
			var errno unix.Errno
			_ = errors.As(d.do(), &errno)
			say(d.name, errno)
		}
	}
}

// seize asks to trace a process that exists; if it may, the process goes on.
func seize(pid string) {
	n, err := strconv.Atoi(pid)
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(n), 0, 0, 0, 0)
	say("seize", errno)
}

// raw makes calls by number: NR, or 80:NR for a call of a 32-bit program.
func raw(numbers []string) {
	for _, n := range numbers {
		number, wide := strings.CutPrefix(n, "80:")
		nr, err := strconv.ParseUint(number, 0, 32)
		if err != nil {
			fmt.Println(err)
			os.Exit(2)
		}
		if wide {
			say(n, int80(uintptr(nr)))
			continue
		}
		_, _, errno := unix.RawSyscall6(uintptr(nr), 0, 0, 0, 0, 0, 0)
		say(n, errno)
	}
}

func say(name string, errno unix.Errno) {
	what := "ok"
	if errno != 0 {
		what = unix.ErrnoName(errno)
	}
	fmt.Println(name, what)
}

const bad = ^uintptr(0) // a descriptor, address or command that there is not

func tries() []try {
	return []try{
		{"mount", unix.SYS_MOUNT, [6]uintptr{bad, bad}},
		{"umount2", unix.SYS_UMOUNT2, [6]uintptr{bad}},
		{"pivot_root", unix.SYS_PIVOT_ROOT, [6]uintptr{bad, bad}},
		{"fsopen", unix.SYS_FSOPEN, [6]uintptr{bad}},
		{"open_tree", unix.SYS_OPEN_TREE, [6]uintptr{bad, bad}},
		{"mount_setattr", unix.SYS_MOUNT_SETATTR, [6]uintptr{bad}},
		{"reboot", unix.SYS_REBOOT, [6]uintptr{1, 2, 3}}, // EINVAL where it is allowed
		{"keyctl", unix.SYS_KEYCTL, [6]uintptr{unix.KEYCTL_GET_KEYRING_ID, bad - 2}},
		{"add_key", unix.SYS_ADD_KEY, [6]uintptr{bad, bad}},
		{"request_key", unix.SYS_REQUEST_KEY, [6]uintptr{bad, bad}},
		{"unshare", unix.SYS_UNSHARE, [6]uintptr{unix.CLONE_NEWUTS}},
		{"setns", unix.SYS_SETNS, [6]uintptr{bad}},
		{"clone-userns", unix.SYS_CLONE, [6]uintptr{unix.CLONE_NEWUSER | unix.CLONE_FS}}, // or EINVAL
		{"clone3", unix.SYS_CLONE3, [6]uintptr{0, 0}},
		{"syslog", unix.SYS_SYSLOG, [6]uintptr{10}},
		{"bpf", unix.SYS_BPF, [6]uintptr{bad}},
		{"perf_event_open", unix.SYS_PERF_EVENT_OPEN, [6]uintptr{bad}},
		{"init_module", unix.SYS_INIT_MODULE, [6]uintptr{bad}},
		{"delete_module", unix.SYS_DELETE_MODULE, [6]uintptr{bad}},
		{"kexec_load", unix.SYS_KEXEC_LOAD, [6]uintptr{0, 0, 0, bad}},
		{"swapon", unix.SYS_SWAPON, [6]uintptr{bad}},
		{"acct", unix.SYS_ACCT, [6]uintptr{bad}},
		{"clock_settime", unix.SYS_CLOCK_SETTIME, [6]uintptr{bad}},
		{"settimeofday", unix.SYS_SETTIMEOFDAY, [6]uintptr{bad, bad}},
		{"sethostname", unix.SYS_SETHOSTNAME, [6]uintptr{bad, bad}},
		{"open_by_handle_at", unix.SYS_OPEN_BY_HANDLE_AT, [6]uintptr{bad}},
		{"name_to_handle_at", unix.SYS_NAME_TO_HANDLE_AT, [6]uintptr{bad, bad}},
		{"quotactl", unix.SYS_QUOTACTL, [6]uintptr{bad}},
		{"userfaultfd", unix.SYS_USERFAULTFD, [6]uintptr{bad}},
		{"io_uring_setup", unix.SYS_IO_URING_SETUP, [6]uintptr{0, 0}},
		{"personality", unix.SYS_PERSONALITY, [6]uintptr{0xffffffff}},
		{"personality-exec", unix.SYS_PERSONALITY, [6]uintptr{0x0400000}},
		{"kcmp", unix.SYS_KCMP, [6]uintptr{bad}},
		{"pidfd_getfd", unix.SYS_PIDFD_GETFD, [6]uintptr{bad}},
		{"ptrace-nobody", unix.SYS_PTRACE, [6]uintptr{unix.PTRACE_ATTACH, 1 << 30}},
		{"process_vm_readv-nobody", unix.SYS_PROCESS_VM_READV, [6]uintptr{1 << 30}},
		{"mbind", unix.SYS_MBIND, [6]uintptr{bad}},
		{"socket-inet", unix.SYS_SOCKET, [6]uintptr{unix.AF_INET, unix.SOCK_STREAM}},
		{"socket-raw", unix.SYS_SOCKET, [6]uintptr{unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP}},
		{"socket-netlink", unix.SYS_SOCKET, [6]uintptr{unix.AF_NETLINK, unix.SOCK_RAW}},
		{"socket-alg", unix.SYS_SOCKET, [6]uintptr{unix.AF_ALG, unix.SOCK_SEQPACKET}},
		{"socket-vsock", unix.SYS_SOCKET, [6]uintptr{unix.AF_VSOCK, unix.SOCK_STREAM}},
		{"setresuid", unix.SYS_SETRESUID, [6]uintptr{bad, bad, bad}},
		{"getrandom", unix.SYS_GETRANDOM, [6]uintptr{}},
		{"membarrier", unix.SYS_MEMBARRIER, [6]uintptr{}},
		{"none-such", 9999, [6]uintptr{}},
	}
}
