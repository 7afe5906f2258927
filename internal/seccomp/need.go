package seccomp

import (
	"encoding/binary"
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Allows tells whether a filter that was made here lets a call of this machine through,
// whose first argument is this and the others 0. A call that the machine does not have
// is let through.
func Allows(filter []byte, name string, first uint64) bool {
	return allowing(verdict(filter, name, first))
}

// Kills tells whether a filter ends a program that makes the call.
func Kills(filter []byte, name string) bool {
	switch verdict(filter, name, 0) & unix.SECCOMP_RET_ACTION_FULL {
	case unix.SECCOMP_RET_KILL_PROCESS, unix.SECCOMP_RET_KILL_THREAD, unix.SECCOMP_RET_TRAP:
		return true
	}
	return false
}

// verdict is what a filter returns for a call, as seccomp(2) has it.
func verdict(filter []byte, name string, first uint64) uint32 {
	native := arches()[0]
	nr, ok := native.number(name)
	if !ok {
		return unix.SECCOMP_RET_ALLOW
	}
	program, _ := bpf.Disassemble(instructions(filter))
	machine, err := bpf.NewVM(program)
	if err != nil {
		return unix.SECCOMP_RET_ALLOW // the kernel will say what is wrong
	}
	// struct seccomp_data (seccomp(2)). This machine reads bytes in network order, where
	// the filter looks for the lower half of an argument first.
	var data [64]byte
	binary.BigEndian.PutUint32(data[0:], nr)
	binary.BigEndian.PutUint32(data[4:], native.audit)
	binary.BigEndian.PutUint32(data[16:], uint32(first))
	binary.BigEndian.PutUint32(data[20:], uint32(first>>32))
	result, err := machine.Run(data[:])
	if err != nil {
		return unix.SECCOMP_RET_ALLOW
	}
	return uint32(result)
}

// instructions takes a filter apart.
func instructions(filter []byte) (list []bpf.RawInstruction) {
	for f := range slices.Chunk(filter, unix.SizeofSockFilter) {
		list = append(list, bpf.RawInstruction{
			Op: binary.LittleEndian.Uint16(f), Jt: f[2], Jf: f[3], K: binary.LittleEndian.Uint32(f[4:]),
		})
	}
	return list
}
