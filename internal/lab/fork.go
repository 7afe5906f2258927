package lab

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Fork starts processes of one thread each, which do nothing and end with this
// one: n of them, or as many as it gets. It says in a line to out how many, and
// which error stopped it. Then it waits for a signal, unless end is set.
func Fork(out io.Writer, n int, end bool) error {
	// The children end with the thread that started them.
	runtime.LockOSThread()
	pids, errno := fork(n)
	if err := tell(out, n, len(pids), errno); err != nil {
		return err
	}
	if !end {
		Wait()
	}
	for _, pid := range pids {
		unix.Kill(pid, unix.SIGKILL)
		_, _ = unix.Wait4(pid, nil, 0, nil) // until then it is a zombie, and counts
	}
	return nil
}

func fork(n int) (pids []int, errno syscall.Errno) {
	parent := uintptr(os.Getpid())
	for len(pids) < n {
		pid, errno := Idle(uintptr(unix.SIGCHLD), parent)
		if errno != 0 {
			return pids, errno
		}
		pids = append(pids, pid)
	}
	return pids, 0
}

func tell(out io.Writer, n, forked int, errno syscall.Errno) error {
	text := fmt.Sprintf("forked %d of %d processes", forked, n)
	if errno != 0 {
		text += fmt.Sprintf(": fork: %s (%v)", unix.ErrnoName(errno), errno)
	}
	if tasks, err := os.ReadDir("/proc/self/task"); err == nil {
		text += fmt.Sprintf("; with kit's own %d threads %d tasks", len(tasks), forked+len(tasks))
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

// Idle starts one process, which waits for its end where parent is the caller's number, and
// ends at once where it is 0. flags are those of clone(2). It is a copy of this one with one
// thread, and may not use the Go runtime, whose other threads it lacks: nothing but kernel
// calls.
//
//go:noinline
//go:norace
//go:nosplit
func Idle(flags, parent uintptr) (pid int, errno syscall.Errno) {
	child, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, flags, 0, 0, 0, 0, 0)
	if child != 0 || errno != 0 {
		return int(child), errno
	}
	_, _, _ = syscall.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0)
	for {
		// Has the parent ended before that?
		if now, _, _ := syscall.RawSyscall(unix.SYS_GETPPID, 0, 0, 0); now != parent {
			_, _, _ = syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
		}
		_, _, _ = syscall.RawSyscall6(unix.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
	}
}
