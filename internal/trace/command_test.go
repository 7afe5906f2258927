package trace

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// run has a command, continues it where it has stopped itself, and cleans up.
func run(command string) int {
	mark()
	pid, err := startTestCommand(command)
	if err != nil {
		return 97
	}
	var status unix.WaitStatus
	for {
		if err := waitStopped(pid, &status); errors.Is(err, unix.EINTR) {
			continue
		}
		if !status.Stopped() {
			break
		}
		unix.Kill(pid, unix.SIGCONT)
	}
	// The clean-up.
	_ = unix.Access("/cleanup", unix.R_OK)
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// startTestCommand starts this program as a command, or a shell where it has a space.
func startTestCommand(command string) (int, error) {
	argv := []string{"command"}
	env := []string{roleEnv + "=" + command, "PATH=" + os.Getenv("PATH")}
	path := "/proc/self/exe"
	if strings.Contains(command, " ") {
		path, argv = "/bin/sh", []string{"sh", "-c", command}
	}
	// The command.
	return syscall.ForkExec(path, argv, &syscall.ProcAttr{
		Env: env, Files: []uintptr{0, 1, 2},
	})
}

// commands are those that do what is hard to follow.
func commands(name string) int {
	switch name {
	case "exec-elsewhere":
		return execElsewhere()
	case "killed-in-call":
		return killedInCall()
	case "stops-itself":
		return stopsItself()
	case "first-thread-ends":
		return firstThreadEnds()
	case "traces":
		return traces()
	case "waits-untraced":
		return waitsUntraced()
	case "bursts":
		return bursts()
	}
	return 99
}

// execElsewhere calls execve in another thread than the first, while there are more.
func execElsewhere() int {
	for range 4 {
		go func() {
			runtime.LockOSThread()
			_ = unix.Pause()
		}()
	}
	runtime.LockOSThread() // the others are other threads
	go func() {
		_ = unix.Exec("/bin/sh", []string{"sh", "-c", "exit 21"}, nil)
	}()
	time.Sleep(time.Minute)
	return 1
}

// killedInCall dies while some of its threads sleep in the kernel, and another makes processes.
func killedInCall() int {
	for range 3 {
		go func() {
			runtime.LockOSThread()
			_ = unix.Pause()
		}()
	}
	go func() {
		for {
			_ = exec.Command("/bin/true").Run()
		}
	}()
	time.Sleep(100 * time.Millisecond)
	unix.Kill(os.Getpid(), unix.SIGKILL)
	time.Sleep(time.Minute)
	return 1
}

// stopsItself stops with several threads, three times.
func stopsItself() int {
	for range 3 {
		go func() {
			runtime.LockOSThread()
			_ = unix.Pause()
		}()
	}
	for range 3 {
		unix.Kill(os.Getpid(), unix.SIGSTOP)
	}
	return 22
}

// firstThreadEnds lives on without its first thread.
func firstThreadEnds() int {
	go func() {
		runtime.LockOSThread()
		time.Sleep(100 * time.Millisecond)
		cmd := exec.Command("/bin/true")
		if cmd.Run() == nil {
			os.Exit(23)
		}
		os.Exit(1)
	}()
	runtime.LockOSThread() // init of main runs on the first thread
	_, _, _ = syscall.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
	return 1
}

// traces tells whether its child can have it as its tracer.
func traces() int {
	child := exec.Command("/bin/true")
	child.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	runtime.LockOSThread()
	if err := child.Start(); errors.Is(err, unix.EPERM) {
		return 24
	}
	_ = child.Process.Kill()
	return 0
}

// waitsUntraced ends when nobody traces it, or its children, any more.
func waitsUntraced() int {
	child := exec.Command("/bin/sh", "-c",
		"until grep -q 'TracerPid:.0$' /proc/self/status /proc/$$/status; do :; done")
	if child.Run() != nil {
		return 1
	}
	for {
		status, _ := os.ReadFile("/proc/self/status")
		if strings.Contains(string(status), "TracerPid:\t0\n") {
			return 25
		}
	}
}

// bursts makes processes in several threads until nobody traces it any more.
func bursts() int {
	done := make(chan error)
	for range 3 {
		go func() {
			for range 5 {
				if err := exec.Command("/bin/true").Run(); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 3 {
		if <-done != nil {
			return 1
		}
	}
	return waitsUntraced()
}
