package seccomp

import (
	_ "embed"
	"runtime"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

//go:generate go run gen.go

// numbersText is the table of system calls: a name and its number on amd64, 386,
// arm64 and arm, "-" for none.
//
//go:embed numbers.txt
var numbersText string

// x32Bit marks a call of the x32 ABI, 32-bit programs in 64-bit mode, which
// shares the audit architecture of amd64.
const x32Bit = 0x40000000

// privateARM is where 32-bit ARM's private calls begin, far above all others.
const privateARM = 0xf0000

// An arch is a set of system call numbers that the kernel understands.
type arch struct {
	spec   specs.Arch
	audit  uint32 // AUDIT_ARCH_*, as a filter sees it
	column int    // of the table
	narrow bool   // of 32-bit programs
}

// arches are the sets that this machine's kernel may understand, its own first.
func arches() []arch {
	if runtime.GOARCH == "arm64" {
		return []arch{
			{specs.ArchAARCH64, unix.AUDIT_ARCH_AARCH64, 3, false},
			{specs.ArchARM, unix.AUDIT_ARCH_ARM, 4, true},
		}
	}
	return []arch{
		{specs.ArchX86_64, unix.AUDIT_ARCH_X86_64, 1, false},
		{specs.ArchX86, unix.AUDIT_ARCH_I386, 2, true},
		{specs.ArchX32, unix.AUDIT_ARCH_X86_64, 1, true},
	}
}

// numbers reads an architecture's column of the table.
func (a arch) numbers() map[string]uint32 {
	numbers := make(map[string]uint32, 500)
	for line := range strings.Lines(numbersText) {
		fields := strings.Fields(line)
		if len(fields) <= a.column {
			continue
		}
		if n, err := strconv.ParseUint(fields[a.column], 10, 32); err == nil {
			numbers[fields[0]] = uint32(n)
		}
	}
	if a.spec == specs.ArchX32 {
		toX32(numbers)
	}
	return numbers
}

// toX32 turns the numbers of amd64 into those of x32: the same with a bit set,
// but for calls whose structures differ, which are numbered from 512 on.
func toX32(numbers map[string]uint32) {
	for name := range numbers {
		numbers[name] |= x32Bit
	}
	for i, name := range strings.Fields(`rt_sigaction rt_sigreturn ioctl readv writev recvfrom
		sendmsg recvmsg execve ptrace rt_sigpending rt_sigtimedwait rt_sigqueueinfo sigaltstack
		timer_create mq_notify kexec_load waitid set_robust_list get_robust_list vmsplice
		move_pages preadv pwritev rt_tgsigqueueinfo recvmmsg sendmmsg process_vm_readv
		process_vm_writev setsockopt getsockopt io_setup io_submit execveat preadv2 pwritev2`) {
		numbers[name] = x32Bit | uint32(512+i)
	}
}

// A part is one of many calls that 386 also has behind a single number: the first
// argument of socketcall(2) or ipc(2) tells which.
type part struct {
	call string
	arg  uint64
}

// parts are the calls of 386 that can be made in two ways.
func parts() map[string]part {
	list := map[string]part{}
	for i, name := range strings.Fields(`socket bind connect listen accept getsockname getpeername
		socketpair send recv sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4
		recvmmsg sendmmsg`) {
		list[name] = part{"socketcall", uint64(i + 1)}
	}
	for arg, name := range []string{
		1: "semop", 2: "semget", 3: "semctl", 4: "semtimedop", 11: "msgsnd", 12: "msgrcv",
		13: "msgget", 14: "msgctl", 21: "shmat", 22: "shmdt", 23: "shmget", 24: "shmctl",
	} {
		if name != "" {
			list[name] = part{"ipc", uint64(arg)}
		}
	}
	return list
}
