package seccomp

import (
	"iter"
	"runtime"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

//go:generate go run gen.go

// A row of the table is a system call's numbers, by column; -1 is none.
type row struct {
	name    string
	numbers [5]int32
}

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
			{specs.ArchAARCH64, unix.AUDIT_ARCH_AARCH64, 2, false},
			{specs.ArchARM, unix.AUDIT_ARCH_ARM, 3, true},
		}
	}
	return []arch{
		{specs.ArchX86_64, unix.AUDIT_ARCH_X86_64, 0, false},
		{specs.ArchX86, unix.AUDIT_ARCH_I386, 1, true},
		{specs.ArchX32, unix.AUDIT_ARCH_X86_64, 4, true},
	}
}

// number is that of a call by name, if the architecture has it.
func (a arch) number(name string) (nr uint32, ok bool) {
	i, found := slices.BinarySearchFunc(table[:], name, func(r row, name string) int {
		return strings.Compare(r.name, name)
	})
	if !found {
		return 0, false
	}
	return a.numberOf(table[i])
}

func (a arch) numberOf(r row) (nr uint32, ok bool) {
	n := r.numbers[a.column]
	if a.spec == specs.ArchX32 {
		return x32Bit | uint32(n), n >= 0
	}
	return uint32(n), n >= 0
}

// numbers are all calls that the architecture has.
func (a arch) numbers() iter.Seq2[string, uint32] {
	return func(yield func(string, uint32) bool) {
		for _, r := range table {
			if nr, ok := a.numberOf(r); ok && !yield(r.name, nr) {
				return
			}
		}
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
