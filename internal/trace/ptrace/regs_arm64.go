package ptrace

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// regs are the registers that a stack is walked with.
type regs struct{ frame, link uint64 }

// read fetches them from a stopped thread: x29 is the frame pointer, x30 the
// link register (NT_PRSTATUS in ptrace(2)).
func (r *regs) read(tid int) error {
	var all unix.PtraceRegsArm64
	vector := unix.Iovec{Base: (*byte)(unsafe.Pointer(&all)), Len: uint64(unsafe.Sizeof(all))}
	const status = 1 // NT_PRSTATUS
	if err := fetch(unix.PTRACE_GETREGSET, tid, status, unsafe.Pointer(&vector)); err != nil {
		return err
	}
	r.frame, r.link = all.Regs[29], all.Regs[30]
	return nil
}

// onStack tells that a call puts the return address on the stack.
const onStack = false
