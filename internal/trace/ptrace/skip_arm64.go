package ptrace

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Skip keeps a thread that has stopped at the entry of a system call from making
// it: there is no call -1. Info.Fail says what it returns. The number of the call is
// a register set of its own (NT_ARM_SYSTEM_CALL in linux/elf.h).
func Skip(tid int) error {
	none := int32(-1)
	vector := unix.Iovec{Base: (*byte)(unsafe.Pointer(&none)), Len: uint64(unsafe.Sizeof(none))}
	const systemCall = 0x404
	return fetch(unix.PTRACE_SETREGSET, tid, systemCall, unsafe.Pointer(&vector))
}

// setReturn sets what the call returns at whose exit the thread has stopped.
func setReturn(tid int, value int64) error {
	var all unix.PtraceRegsArm64
	vector := unix.Iovec{Base: (*byte)(unsafe.Pointer(&all)), Len: uint64(unsafe.Sizeof(all))}
	const status = 1 // NT_PRSTATUS
	if err := fetch(unix.PTRACE_GETREGSET, tid, status, unsafe.Pointer(&vector)); err != nil {
		return err
	}
	all.Regs[0] = uint64(value)
	return fetch(unix.PTRACE_SETREGSET, tid, status, unsafe.Pointer(&vector))
}
