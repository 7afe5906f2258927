package ptrace

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Skip keeps a thread that has stopped at the entry of a system call from making
// it: there is no call -1. Info.Fail says what it returns.
func Skip(tid int) error {
	return change(tid, func(r *unix.PtraceRegsAmd64) { r.Orig_rax = ^uint64(0) })
}

// setReturn sets what the call returns at whose exit the thread has stopped.
func setReturn(tid int, value int64) error {
	return change(tid, func(r *unix.PtraceRegsAmd64) { r.Rax = uint64(value) })
}

func change(tid int, f func(*unix.PtraceRegsAmd64)) error {
	var all unix.PtraceRegsAmd64
	if err := fetch(unix.PTRACE_GETREGS, tid, 0, unsafe.Pointer(&all)); err != nil {
		return err
	}
	f(&all)
	return fetch(unix.PTRACE_SETREGS, tid, 0, unsafe.Pointer(&all))
}
