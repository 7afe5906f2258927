package container

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// startIn starts the command in namespaces of the process pid; flags says in
// which (CLONE_NEW*). Those in cmd.fresh are new ones, made from there. The new
// process is our child.
//
// The kernel lets only a process of one thread into a user or a mount namespace
// (setns(2)), and a Go program has many. But fork(2) copies one thread only: the
// copy joins, and starts the command from there.
func (cmd *Command) startIn(pid int, flags uintptr) (child int, g *gate, err error) {
	defer cmd.closeFiles()
	// A pidfd stands for the process, so that one call enters all its namespaces.
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, nil, fmt.Errorf("pidfd_open %d: %w", pid, err)
	}
	// Needed no longer than the namespaces take to be entered.
	defer unix.Close(pidfd)
	f, err := cmd.fork(pid, uintptr(pidfd), flags)
	if err != nil {
		return 0, nil, err
	}
	child, err = f.start()
	if err != nil {
		cmd.gate.close()
		return 0, nil, fmt.Errorf("setns %d %s: %w", pid, namespaceNames(flags), err)
	}
	return child, cmd.gate, nil
}

// A fork is all that a forked copy of us needs: it can allocate nothing.
type fork struct {
	pidfd, flags uintptr
	fresh        uintptr // CLONE_NEW*: made new by the second clone
	gate, self   uintptr // descriptors, out of the way of those that they become
	argv, env    *[]*byte
	empty        *byte
	nofile       unix.Rlimit // on open files
	answer       [2]int32    // errno, pid
	pipe         [2]int
}

// fork prepares the copy.
func (cmd *Command) fork(pid int, pidfd, flags uintptr) (*fork, error) {
	f := &fork{pidfd: pidfd, flags: flags, fresh: cmd.fresh}
	// Memory that the kernel reads, and that the copy has too.
	argv, err := syscall.SlicePtrFromStrings(cmd.Argv)
	if err != nil {
		return nil, fmt.Errorf("execveat: %w", err)
	}
	// The environment in the same form.
	env, err := syscall.SlicePtrFromStrings(cmd.Env)
	if err != nil {
		return nil, fmt.Errorf("execveat: %w", err)
	}
	f.argv, f.env, f.empty = &argv, &env, new(byte)
	for i, fd := range []*uintptr{&f.gate, &f.self} {
		// Out of the way of 3 and 4, which these two become.
		n, err := unix.FcntlInt(cmd.Files[gateFD+i].Fd(), unix.F_DUPFD_CLOEXEC, selfFD+1)
		if err != nil {
			return nil, fmt.Errorf("fcntl F_DUPFD_CLOEXEC: %w", err)
		}
		*fd = uintptr(n)
	}
	if f.nofile, err = openFiles(pid); err != nil {
		return nil, err
	}
	// The copy tells us through it how it went.
	if err := unix.Pipe2(f.pipe[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("pipe2: %w", err)
	}
	return f, nil
}

// openFiles is a process's limit on open files. Anybody may read it, while
// prlimit(2) is for its own user.
func openFiles(pid int) (limit unix.Rlimit, err error) {
	path := "/proc/" + strconv.Itoa(pid) + "/limits"
	// A line for each limit: its name, the soft and the hard one.
	text, err := os.ReadFile(path)
	if err != nil {
		return limit, err
	}
	_, line, _ := strings.Cut(string(text), "Max open files")
	if _, err := fmt.Sscan(line, &limit.Cur, &limit.Max); err != nil {
		return limit, fmt.Errorf("%s: %w", path, err)
	}
	return limit, nil
}

// start forks the copy, and returns the process that the copy starts.
func (f *fork) start() (child int, err error) {
	defer func() {
		for _, fd := range []int{int(f.gate), int(f.self), f.pipe[0]} {
			// The copy has had its own.
			unix.Close(fd)
		}
	}()
	copied, errno := f.run()
	// Ours only kept the pipe open.
	unix.Close(f.pipe[1])
	if errno != 0 {
		return 0, errno
	}
	answer := unsafe.Slice((*byte)(unsafe.Pointer(&f.answer)), unsafe.Sizeof(f.answer))
	// How did it go?
	n, err := unix.Read(f.pipe[0], answer)
	if _, err := wait(copied); err != nil {
		return 0, err
	}
	runtime.KeepAlive(f)
	switch {
	case err != nil:
		return 0, err
	case n != len(answer):
		return 0, unix.ESRCH
	case f.answer[0] != 0:
		return 0, syscall.Errno(f.answer[0])
	}
	return int(f.answer[1]), nil
}

// run forks. The copy must not use the Go runtime, whose threads it lacks:
// nothing but kernel calls, and no return. It must not even enter a function that
// looks at its stack first, where the scheduler may be waiting to take over.
//
//go:noinline
//go:norace
//go:nosplit
func (f *fork) run() (copied int, errno syscall.Errno) {
	// A copy of us with this one thread.
	pid, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if pid != 0 || errno != 0 {
		return int(pid), errno
	}
	// One call enters them all, the user namespace first.
	_, _, errno = syscall.RawSyscall(unix.SYS_SETNS, f.pidfd, f.flags, 0)
	if errno == 0 {
		// Uid 0 of the user namespace that we have come into, not whom it takes us for. It
		// must not see us before that: who is root there could ptrace the host's root.
		syscall.RawSyscall(unix.SYS_SETRESGID, 0, 0, 0)
		// The same for the uid: without it, execve would take the capabilities away.
		syscall.RawSyscall(unix.SYS_SETRESUID, 0, 0, 0)
		flags := uintptr(unix.SIGCHLD) | unix.CLONE_PARENT | f.fresh
		// Only a child enters the PID namespace. It is made a child of our parent's, with
		// those namespaces that are to be its own.
		pid, _, errno = syscall.RawSyscall6(unix.SYS_CLONE, flags, 0, 0, 0, 0, 0)
		if pid == 0 && errno == 0 {
			f.exec()
		}
	}
	f.answer[0], f.answer[1] = int32(errno), int32(pid)
	// Tell the original how it went, and which process it has got.
	syscall.RawSyscall(unix.SYS_WRITE, uintptr(f.pipe[1]),
		uintptr(unsafe.Pointer(&f.answer)), unsafe.Sizeof(f.answer))
	for {
		// The copy has done its work.
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
}

// exec becomes the command.
//
//go:norace
//go:nosplit
func (f *fork) exec() {
	// The gate where the program expects it.
	syscall.RawSyscall(unix.SYS_DUP3, f.gate, gateFD, 0)
	// The program itself, too.
	syscall.RawSyscall(unix.SYS_DUP3, f.self, selfFD, 0)
	// As many open files as the process has whose namespaces these are: Go has raised
	// our limit, for itself.
	syscall.RawSyscall6(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE,
		uintptr(unsafe.Pointer(&f.nofile)), 0, 0, 0)
	// The paths of this root are not ours: the program is named by its descriptor.
	syscall.RawSyscall6(unix.SYS_EXECVEAT, selfFD, uintptr(unsafe.Pointer(f.empty)),
		uintptr(unsafe.Pointer(&(*f.argv)[0])), uintptr(unsafe.Pointer(&(*f.env)[0])),
		unix.AT_EMPTY_PATH, 0)
	for {
		// It could not be executed.
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 125, 0, 0)
	}
}
