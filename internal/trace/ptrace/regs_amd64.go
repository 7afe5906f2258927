package ptrace

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// regs are the registers that a stack is walked with.
type regs struct{ frame, link uint64 }

// read fetches them from a stopped thread. On amd64 the return address of a
// function without a frame is on the stack, so there is no link.
func (r *regs) read(tid int) error {
	var all unix.PtraceRegsAmd64
	if err := fetch(unix.PTRACE_GETREGS, tid, 0, unsafe.Pointer(&all)); err != nil {
		return err
	}
	r.frame = all.Rbp
	return nil
}

// onStack tells that a call puts the return address on the stack.
const onStack = true
