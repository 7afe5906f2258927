// Package ptrace is the kernel's interface for one process to watch another
// (ptrace(2)): start, stop, resume, look inside. It knows no system call by
// name. All of its functions are for the one OS thread that started the tracee.
package ptrace

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Info is struct ptrace_syscall_info of linux/ptrace.h: what a tracee that has
// stopped at a system call is about to do, or has done. It reads the same on
// every architecture.
type Info struct {
	Op   uint8 // unix.PTRACE_SYSCALL_INFO_ENTRY, _EXIT or _NONE
	_    [3]uint8
	Arch uint32
	IP   uint64 // behind the system call instruction
	SP   uint64
	data [8]uint64
}

// Number is the system call's number, at its entry.
func (i *Info) Number() int { return int(int32(i.data[0])) }

// Args are the six arguments, at its entry.
func (i *Info) Args() [6]uint64 { return [6]uint64(i.data[1:7]) }

// Return is the value that the call returned, at its exit: -errno for failure.
func (i *Info) Return() int64 { return int64(i.data[0]) }

// Failed tells, at its exit, that Return is an errno.
func (i *Info) Failed() bool { return i.data[1]&0xff != 0 }

// Fail makes the call at whose exit tid has stopped fail with errno.
func (i *Info) Fail(tid int, errno unix.Errno) {
	if setReturn(tid, -int64(errno)) == nil {
		i.data[0], i.data[1] = uint64(-int64(errno)), 1
	}
}

// Read fills i for the stopped thread tid. Linux has it since 5.3.
func (i *Info) Read(tid int) error {
	return fetch(unix.PTRACE_GET_SYSCALL_INFO, tid, unsafe.Sizeof(*i), unsafe.Pointer(i))
}

// options are what a tracee reports besides system calls and signals, and that
// it does not outlive its tracer.
const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE |
	unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK |
	unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_EXITKILL

// Start starts a program as a tracee that has stopped before its first
// instruction. The error tells whether there is no ptrace here, see Refused.
func Start(path string, argv, env []string, files []*os.File) (pid int, err error) {
	fds := make([]uintptr, len(files))
	for i, f := range files {
		fds[i] = f.Fd()
	}
	pid, err = syscall.ForkExec(path, argv, &syscall.ProcAttr{
		Env: env, Files: fds, Sys: &syscall.SysProcAttr{
			Ptrace:    true,
			Pdeathsig: unix.SIGKILL, // before seize there is no PTRACE_O_EXITKILL
		},
	})
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", path, err)
	}
	if err := seize(pid); err != nil {
		unix.Kill(pid, unix.SIGKILL)
		_, _ = unix.Wait4(pid, nil, unix.WALL, nil)
		return 0, err
	}
	return pid, nil
}

// seize changes from the old way of attaching, the one that fork and exec
// offer, to PTRACE_SEIZE: only that tells a stop by job control from a signal,
// and can interrupt a thread without sending it one.
func seize(pid int) error {
	if err := await(pid); err != nil {
		return err
	}
	var info Info
	if err := info.Read(pid); err != nil {
		return fmt.Errorf("PTRACE_GET_SYSCALL_INFO: %w", err)
	}
	// Let go, but leave it stopped.
	if err := DetachWith(pid, unix.SIGSTOP); err != nil {
		return fmt.Errorf("PTRACE_DETACH: %w", err)
	}
	if err := request(unix.PTRACE_SEIZE, pid, 0, options); err != nil {
		return fmt.Errorf("PTRACE_SEIZE: %w", err)
	}
	if err := await(pid); err != nil {
		return err
	}
	return unix.Kill(pid, unix.SIGCONT)
}

// An EndedError is a program that a signal ended before it could be watched.
type EndedError struct{ Status unix.WaitStatus }

func (e *EndedError) Error() string {
	return fmt.Sprintf("ended before it could be traced: %s", e.Status.Signal())
}

// await waits for a tracee that is about to stop.
func await(pid int) error {
	for {
		var status unix.WaitStatus
		_, err := unix.Wait4(pid, &status, unix.WALL, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("wait4 %d: %w", pid, err)
		}
		if !status.Stopped() {
			return &EndedError{status}
		}
		return nil
	}
}

// Wait waits for any tracee to stop or end. Soon tells that it will not be long:
// then the Go scheduler is not told that this thread sleeps, which costs more
// than the sleep. Until it returns there is no garbage collection, and whoever
// wants one waits: the tracee must not wait for this process meanwhile.
func Wait(soon bool) (tid int, status unix.WaitStatus, err error) {
	const options = unix.WALL | unix.WNOTHREAD
	for {
		if soon {
			tid, status, err = rawWait(options)
		} else {
			tid, err = unix.Wait4(-1, &status, options, nil)
		}
		if !errors.Is(err, unix.EINTR) {
			return tid, status, err
		}
	}
}

func rawWait(options uintptr) (int, unix.WaitStatus, error) {
	var status int32
	tid, _, errno := syscall.RawSyscall6(unix.SYS_WAIT4,
		^uintptr(0), uintptr(unsafe.Pointer(&status)), options, 0, 0, 0)
	if errno != 0 {
		return 0, 0, errno
	}
	return int(tid), unix.WaitStatus(status), nil
}

// Event returns the number of the PTRACE_EVENT that a stop reports, 0 for none.
func Event(status unix.WaitStatus) int { return int(status >> 16) }

// SyscallStop is the signal number with which a stop at a system call comes.
const SyscallStop = unix.SIGTRAP | 0x80

// Syscall lets a thread run on to its next system call.
func Syscall(tid int, signal unix.Signal) error {
	return request(unix.PTRACE_SYSCALL, tid, 0, uintptr(signal))
}

// Cont lets a thread run on; system calls do not stop it.
func Cont(tid int, signal unix.Signal) error {
	return request(unix.PTRACE_CONT, tid, 0, uintptr(signal))
}

// Listen leaves a thread that job control has stopped as it is.
func Listen(tid int) error { return request(unix.PTRACE_LISTEN, tid, 0, 0) }

// Interrupt makes a running thread stop, without a signal.
func Interrupt(tid int) error { return request(unix.PTRACE_INTERRUPT, tid, 0, 0) }

// Detach lets a stopped thread run on untraced.
func Detach(tid int) error { return DetachWith(tid, 0) }

// DetachWith is Detach, and gives the thread the signal that it has stopped for.
func DetachWith(tid int, signal unix.Signal) error {
	return request(unix.PTRACE_DETACH, tid, 0, uintptr(signal))
}

// Message returns what belongs to an event: the new thread, or the old one.
func Message(tid int) (int, error) {
	var message uint
	err := fetch(unix.PTRACE_GETEVENTMSG, tid, 0, unsafe.Pointer(&message))
	return int(message), err
}

// Sender returns the code and the sender of the signal that tid is about to get
// (sigaction(2)): SI_TKILL and its pid, or for SIGCHLD the child's.
func Sender(tid int) (code int32, pid int, err error) {
	var info [32]int32 // siginfo_t: signo, errno, code, padding, pid
	err = fetch(unix.PTRACE_GETSIGINFO, tid, 0, unsafe.Pointer(&info))
	return info[2], int(info[4]), err
}

// request makes a request whose last argument is a number.
func request(number, tid int, addr, data uintptr) error {
	_, _, errno := syscall.RawSyscall6(unix.SYS_PTRACE,
		uintptr(number), uintptr(tid), addr, data, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// fetch makes a request that fills or reads the memory at data.
func fetch(number, tid int, addr uintptr, data unsafe.Pointer) error {
	_, _, errno := syscall.RawSyscall6(unix.SYS_PTRACE,
		uintptr(number), uintptr(tid), addr, uintptr(data), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
