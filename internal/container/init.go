package container

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// runInit starts the command as a child and stays as PID 1 to do what an init
// does (--init). The kernel gives PID 1 two duties: it becomes the parent of
// every orphan, and must reap it; and a signal that it has no handler for does
// nothing to it, so that Ctrl-C and kill would not end the command.
func runInit(c *Container, path string, env []string) (int, error) {
	// A name for ps: the program was executed under the name of a descriptor.
	if err := unix.Prctl(unix.PR_SET_NAME, commName(), 0, 0, 0); err != nil {
		return 0, fmt.Errorf("prctl PR_SET_NAME: %w", err)
	}
	// PID 1 stays, and the command may look through its descriptors.
	unix.Close(gateFD)
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	pid, err := startPayload(c, path, env)
	if err != nil {
		return 0, err
	}
	var own, files unix.Rlimit
	// How many files may we open, of which Go has raised the soft limit for itself?
	_ = unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &own)
	// And the command? One that has changed its own limit by now has changed the hard one, too.
	if unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &files) == nil && files.Max == own.Max {
		// Who enters gets the first process's limit, which is ours.
		_ = unix.Prlimit(0, unix.RLIMIT_NOFILE, &files, nil)
	}
	go func() {
		for s := range signals {
			if s == unix.SIGCHLD || s == unix.SIGURG || fromTerminal(s) && inForeground() {
				continue // SIGURG is the Go runtime's own
			}
			// What PID 1 is sent is meant for the command.
			unix.Kill(pid, s.(syscall.Signal))
		}
	}()
	return reap(pid)
}

// commName is "kit" as the kernel wants it: the address of bytes that end in 0.
func commName() uintptr {
	return uintptr(unsafe.Pointer(unsafe.StringData("kit\x00")))
}

// startPayload is where PID 1 starts the command as its child.
func startPayload(c *Container, path string, env []string) (int, error) {
	// PID 1 stays kit; the command is its first child, with its own terminal if
	// it has one.
	pid, err := syscall.ForkExec(path, c.Args, &syscall.ProcAttr{
		Env: env, Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{Setsid: c.TTY, Setctty: c.TTY, Foreground: c.Foreground},
	})
	if err != nil {
		return 0, &ExecError{Command: c.Args[0], Path: path, Err: err}
	}
	return pid, nil
}

// reap waits for every process that ends, orphans included, until the command
// itself has ended. When PID 1 returns, the kernel kills all that are left.
func reap(pid int) (int, error) {
	for {
		var status unix.WaitStatus
		// Any child, our own or one whose parent has died before it.
		ended, err := unix.Wait4(-1, &status, unix.WUNTRACED, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 125, fmt.Errorf("wait4 any: %w", err)
		}
		if status.Stopped() {
			goOn(ended, status)
			continue
		}
		if ended == pid {
			return exitStatus(status), nil
		}
	}
}

// goOn wakes a process that Ctrl-Z has stopped: nobody in the container could.
// The kernel does not stop a command that is PID 1 either.
func goOn(pid int, status unix.WaitStatus) {
	if status.StopSignal() != unix.SIGTSTP {
		return
	}
	// The whole job, which is a process group.
	_ = unix.Kill(-pid, unix.SIGCONT)
}
