// Package bpf reads the filters that seccomp(2) loads: programs for the machine of
// "classic" BPF. It tells in words what a filter does, by running it over all system
// calls, and disassembles it.
package bpf

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// A Program is a filter: a list of struct sock_filter.
type Program []unix.SockFilter

// Size is that of one instruction, in bytes.
const Size = unix.SizeofSockFilter

// Parse reads a program out of memory. What is left of a last instruction is
// passed over.
func Parse(data []byte) Program {
	var p Program
	for ; len(data) >= Size; data = data[Size:] {
		p = append(p, unix.SockFilter{
			Code: binary.NativeEndian.Uint16(data), Jt: data[2], Jf: data[3],
			K: binary.NativeEndian.Uint32(data[4:]),
		})
	}
	return p
}

// A field is a word of struct seccomp_data, by its offset: what the filter is given
// of a call. The rest are the instruction pointer and the arguments, in halves.
type field uint32

const (
	number   field = 0
	arch     field = 4
	dataSize       = 64
)

// target is where an instruction at pc that jumps goes.
func target(pc int, offset uint32) int { return pc + 1 + int(offset) }

// jumps returns where a conditional jump goes.
func jumps(pc int, in unix.SockFilter) (yes, no int) {
	return target(pc, uint32(in.Jt)), target(pc, uint32(in.Jf))
}

const (
	class = 0x07 // BPF_CLASS
	op    = 0xf0 // BPF_OP
	mode  = 0xe0 // BPF_MODE
	value = 0x18 // BPF_RVAL
	misc  = 0xf8 // BPF_MISCOP
)
