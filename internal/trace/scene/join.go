package scene

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A joiner is all that a forked copy of us needs to open a socket for us: it can
// allocate nothing.
type joiner struct {
	pidfd, flags, protocol uintptr
	answer                 [2]int32 // errno, descriptor
	pipe                   [2]int
}

// socketIn opens a netlink socket in namespaces of the process pid; flags says in which
// (CLONE_NEW*). A socket stays in the namespace that it was made in, wherever it is used.
//
// Only a process of one thread can join a user namespace (setns(2)), and we have many.
// But fork(2) copies one thread only, and with CLONE_FILES what the copy opens is ours.
func socketIn(pid int, flags uintptr, protocol int) (fd int, err error) {
	// The copy is the child of this thread, which has others to wait for than it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(pidfd)
	j := &joiner{pidfd: uintptr(pidfd), flags: flags, protocol: uintptr(protocol)}
	if err := unix.Pipe2(j.pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return -1, fmt.Errorf("pipe2: %w", err)
	}
	defer unix.Close(j.pipe[0])
	defer unix.Close(j.pipe[1])
	copied, errno := j.run()
	if errno != 0 {
		return -1, fmt.Errorf("clone: %w", errno)
	}
	var status unix.WaitStatus
	for {
		if _, err := unix.Wait4(copied, &status, unix.WALL, nil); err != unix.EINTR {
			break
		}
	}
	answer := unsafe.Slice((*byte)(unsafe.Pointer(&j.answer)), unsafe.Sizeof(j.answer))
	if n, err := unix.Read(j.pipe[0], answer); err != nil || n != len(answer) {
		return -1, fmt.Errorf("the copy that joins: %w", unix.ESRCH)
	}
	if j.answer[0] != 0 {
		return -1, fmt.Errorf("setns: %w", unix.Errno(j.answer[0]))
	}
	return int(j.answer[1]), nil
}

// run forks. The copy must not use the Go runtime, whose threads it lacks: nothing but
// system calls, no function that looks at its stack first, and no return.
//
//go:noinline
//go:norace
//go:nosplit
func (j *joiner) run() (copied int, errno syscall.Errno) {
	pid, _, errno := syscall.RawSyscall6(unix.SYS_CLONE,
		uintptr(unix.SIGCHLD)|unix.CLONE_FILES, 0, 0, 0, 0, 0)
	if pid != 0 || errno != 0 {
		return int(pid), errno
	}
	var fd uintptr
	_, _, errno = syscall.RawSyscall(unix.SYS_SETNS, j.pidfd, j.flags, 0)
	if errno == 0 {
		fd, _, errno = syscall.RawSyscall(unix.SYS_SOCKET, unix.AF_NETLINK,
			unix.SOCK_RAW|unix.SOCK_CLOEXEC, j.protocol)
	}
	j.answer[0], j.answer[1] = int32(errno), int32(fd)
	syscall.RawSyscall(unix.SYS_WRITE, uintptr(j.pipe[1]),
		uintptr(unsafe.Pointer(&j.answer)), unsafe.Sizeof(j.answer))
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
}
