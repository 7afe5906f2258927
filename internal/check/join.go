package check

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// A joiner is all that a forked copy of us needs to look at namespaces of another process
// for us: it can allocate nothing.
type joiner struct {
	pidfd, flags uintptr
	proc         uintptr  // our /proc
	path         [16]byte // self/mountinfo
	answer       answer
	pipe         [2]int
}

// An answer is what the copy found.
type answer struct {
	errno, mounts int32 // mounts: a descriptor of mountinfo, -1 for none
	uts           unix.Utsname
}

// hostname asks for the host name in the process's UTS namespace (uname(2)): /proc always
// tells that of the reader.
func (p *process) hostname() (string, error) {
	if !p.own("uts") {
		return p.me.Hostname, nil
	}
	a, err := p.join(unix.CLONE_NEWUTS)
	if err != nil {
		return "", err
	}
	if a.mounts >= 0 {
		unix.Close(int(a.mounts))
	}
	return unix.ByteSliceToString(a.uts.Nodename[:]), nil
}

// joinMounts reads all mounts of the process's mount namespace. In its own mountinfo are
// those below its root only.
func (p *process) joinMounts() ([]*mountinfo.Info, error) {
	a, err := p.join(unix.CLONE_NEWNS)
	if err != nil {
		return nil, err
	}
	if a.mounts < 0 {
		return nil, fmt.Errorf("open /proc/self/mountinfo: %w", unix.Errno(-a.mounts))
	}
	f := os.NewFile(uintptr(a.mounts), "mountinfo")
	defer f.Close()
	return mountinfo.GetMountsFromReader(f, nil)
}

// join lets a copy of us join namespaces of the process, and its user namespace with them:
// that makes root of us where it is our own user's. Only a process of one thread can
// (setns(2)), and we have many. But fork(2) copies one thread only, and with CLONE_FILES
// what the copy opens is ours.
func (p *process) join(flags uintptr) (*answer, error) {
	runtime.LockOSThread() // the copy is a child of this thread
	defer runtime.UnlockOSThread()
	if p.own("user") {
		flags |= unix.CLONE_NEWUSER
	}
	pidfd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return nil, fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(pidfd)
	proc, err := unix.Open("/proc", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /proc: %w", err)
	}
	defer unix.Close(proc)
	j := &joiner{pidfd: uintptr(pidfd), flags: flags, proc: uintptr(proc)}
	copy(j.path[:], "self/mountinfo")
	if err := unix.Pipe2(j.pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, fmt.Errorf("pipe2: %w", err)
	}
	defer unix.Close(j.pipe[0])
	defer unix.Close(j.pipe[1])
	copied, errno := j.run()
	if errno != 0 {
		return nil, fmt.Errorf("clone: %w", errno)
	}
	for {
		if _, err := unix.Wait4(copied, nil, unix.WALL, nil); err != unix.EINTR {
			break
		}
	}
	found := &answer{}
	text := unsafe.Slice((*byte)(unsafe.Pointer(found)), unsafe.Sizeof(*found))
	if n, err := unix.Read(j.pipe[0], text); err != nil || n != len(text) {
		return nil, fmt.Errorf("the copy that joins: %w", unix.ESRCH)
	}
	if found.errno != 0 {
		return nil, fmt.Errorf("setns: %w", unix.Errno(found.errno))
	}
	return found, nil
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
	_, _, errno = syscall.RawSyscall(unix.SYS_SETNS, j.pidfd, j.flags, 0)
	j.answer.errno = int32(errno)
	j.answer.mounts = -1
	if errno == 0 {
		syscall.RawSyscall(unix.SYS_UNAME, uintptr(unsafe.Pointer(&j.answer.uts)), 0, 0)
	}
	if errno == 0 && j.flags&unix.CLONE_NEWNS != 0 {
		fd, _, errno := syscall.RawSyscall6(unix.SYS_OPENAT, j.proc,
			uintptr(unsafe.Pointer(&j.path)), unix.O_RDONLY|unix.O_CLOEXEC, 0, 0, 0)
		if j.answer.mounts = int32(fd); errno != 0 {
			j.answer.mounts = -int32(errno)
		}
	}
	syscall.RawSyscall(unix.SYS_WRITE, uintptr(j.pipe[1]),
		uintptr(unsafe.Pointer(&j.answer)), unsafe.Sizeof(j.answer))
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
}
