package doctor

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/containerkit/kit/internal/probe"
	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/vm"
)

const procID = "proc-here"

// machineTrials are about what kit itself needs, whatever the step.
func machineTrials() []trial {
	return []trial{
		{
			id: "kernel", name: "Linux kernel", who: oneself, deed: kernel,
			vital: true, loses: "everything",
		},
		{
			id: "arch", name: "architecture", who: oneself, deed: knownArch,
			loses: "the trace, kit enter, the seccomp profile",
		},
		{
			id: procID, name: "/proc of this machine", who: oneself, deed: procHere,
			loses: "the maps of user namespaces, kit inspect, the trace",
		},
		{
			id: "filter", name: "system calls unfiltered", who: oneself, deed: unfiltered,
			loses: "the steps that need what the filter denies",
		},
		{
			id: "ptrace", name: "ptrace of a child", who: oneself, deed: traceChild,
			loses: "the trace, --pause, --inject, kit enter; kit step goes on without (--trace=off)",
		},
		{
			id: "pidfd", name: "pidfd", who: oneself, deed: openPidfd,
			loses: "kit stop, kit clean, and kit enter cannot be sure of whom they meet",
		},
		{
			id: "clone3", name: "clone3", who: oneself, deed: tryClone3,
			loses: "CLONE_INTO_CGROUP and time namespaces at the start of a process",
		},
		{
			id: "terminal", name: "terminal", who: oneself, deed: terminal,
			loses: "kit step -t, which needs a terminal to pass on",
		},
		{
			id: "vm", name: "virtual machine", who: oneself, deed: machineTools,
			loses: "kit vm, the way out where nothing else works",
		},
	}
}

// kernel asks for the calls of the new mount API, with which kit builds (Linux 5.12 has
// the last of them): no such descriptor, and no such call, are two things.
func kernel(*place) (string, error) {
	m := look()
	if m.Inside == "wsl1" {
		return m.Kernel, fmt.Errorf("kernel: %s is that of WSL 1: %w", m.Kernel, unix.ENOSYS)
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_MOUNT_SETATTR, ^uintptr(0), 0, 0, 0, 0, 0)
	if errno == unix.ENOSYS {
		return m.Kernel, fmt.Errorf("mount_setattr: %w", errno)
	}
	return m.Kernel, nil
}

func knownArch(*place) (string, error) {
	if runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64" {
		return runtime.GOARCH, nil
	}
	return runtime.GOARCH, fmt.Errorf("architecture %s: %w", runtime.GOARCH, unix.ENOSYS)
}

func procHere(*place) (string, error) { return "", procfs.Mounted() }

// unfiltered asks for each call in a way that cannot succeed: only a filter answers
// before the kernel has looked at the arguments.
func unfiltered(*place) (string, error) {
	denied := probe.Filtered()
	if len(denied) == 0 {
		return "", nil
	}
	return "", fmt.Errorf("seccomp filter: denies %s: %w",
		strings.Join(denied, ", "), unix.EPERM)
}

// traceChild is the parent of a process that asks to be traced (ptrace(2)).
func traceChild(*place) (string, error) {
	cmd := again(waiting)
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Pdeathsig: unix.SIGKILL}
	err := cmd.Start()
	if err != nil {
		return "", fmt.Errorf("ptrace PTRACE_TRACEME: %w", errno(err))
	}
	defer func() {
		_ = cmd.Process.Kill()
		_, _ = unix.Wait4(cmd.Process.Pid, nil, 0, nil)
	}()
	var status unix.WaitStatus
	if _, err := unix.Wait4(cmd.Process.Pid, &status, 0, nil); err != nil {
		return "", fmt.Errorf("wait4: %w", err)
	}
	if !status.Stopped() {
		return "", fmt.Errorf("ptrace: the child was not stopped at its execve: %w", unix.EPERM)
	}
	if err := unix.PtraceSetOptions(cmd.Process.Pid, unix.PTRACE_O_TRACESYSGOOD); err != nil {
		return "", fmt.Errorf("ptrace PTRACE_SETOPTIONS: %w", err)
	}
	return "", nil
}

func openPidfd(*place) (string, error) {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return "", fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, 0, nil, 0); err != nil {
		return "", fmt.Errorf("pidfd_send_signal: %w", err)
	}
	return "", nil
}

// tryClone3 makes the call without arguments: who knows it says that they are too few.
func tryClone3(*place) (string, error) {
	_, _, errno := unix.RawSyscall(unix.SYS_CLONE3, 0, 0, 0)
	if errno == unix.EINVAL {
		return "", nil
	}
	return "", fmt.Errorf("clone3: %w", errno)
}

func terminal(*place) (string, error) {
	if !term.IsTerminal(0) {
		return "standard input is none", errUntried
	}
	return os.Getenv("TERM"), nil
}

func machineTools(*place) (string, error) {
	if err := vm.Tools(runtime.GOARCH); err != nil {
		return "", err
	}
	kernel, _, err := vm.FindKernel("/")
	if err != nil {
		return "", err
	}
	fast := ", no KVM: slow"
	if fd, err := unix.Open("/dev/kvm", unix.O_RDWR|unix.O_CLOEXEC, 0); err == nil {
		fast = ", /dev/kvm"
		unix.Close(fd)
	}
	return kernel + fast, nil
}

// errno is the number in an error of package os, or the error itself.
func errno(err error) error {
	if number := unix.Errno(0); errors.As(err, &number) {
		return number
	}
	return err
}
