package trace

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// An affinity keeps the observer and kit on one CPU while kit is recorded: only one of
// them runs at a time, and to wake the other on another CPU takes longer than all that
// is done at a stop. Whoever is let go may run wherever it could before
// (sched_setaffinity(2)).
type affinity struct {
	before unix.CPUSet
	set    bool
}

// pin keeps this thread, and the threads that are traced, on the CPU it is on. Threads
// and processes that they make inherit that.
func (t *tracer) pin() {
	var cpu uint32
	_, _, errno := unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&cpu)), 0, 0)
	if errno != 0 || unix.SchedGetaffinity(0, &t.affinity.before) != nil {
		return
	}
	var one unix.CPUSet
	one.Set(int(cpu))
	t.affinity.set = unix.SchedSetaffinity(0, &one) == nil
	for tid := range t.threads {
		_ = unix.SchedSetaffinity(tid, &one) // slower, where it is not allowed
	}
}

// unpin takes that back for the thread tid, 0 for this one.
func (t *tracer) unpin(tid int) error {
	if !t.affinity.set {
		return nil
	}
	return unix.SchedSetaffinity(tid, &t.affinity.before)
}
