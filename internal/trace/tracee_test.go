package trace

import (
	"errors"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// roleEnv tells the test binary, when it is started again, which of the
// programs below it is.
const roleEnv = "TRACE_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(tracees(role))
	}
	os.Exit(m.Run())
}

func tracees(role string) int {
	name, arg, _ := strings.Cut(role, "=")
	switch name {
	case "parent":
		return parent(arg)
	case "child":
		return child(arg)
	case "silent":
		n, _ := strconv.Atoi(arg)
		return n
	case "signals":
		return signals()
	case "killed":
		mark()
		unix.Kill(os.Getpid(), unix.SIGKILL)
		time.Sleep(time.Minute)
	case "lines":
		return lines()
	case "stopped":
		return stopped()
	case "orphan":
		return orphan()
	case "denied":
		return denied()
	case "fails":
		return fails(arg)
	case "network":
		return network()
	case "inside":
		return insideNetwork()
	case "hang":
		time.Sleep(time.Minute)
	case "run":
		return run(arg)
	}
	return commands(name)
}

// mark begins the record, as the engine does.
func mark() {
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP)
}

// parent makes a child in new namespaces that becomes the command arg, and then
// cleans up.
func parent(arg string) int {
	mark()
	dir := os.TempDir() + "/trace-" + strconv.Itoa(os.Getpid())
	if before(dir) != nil {
		return 98
	}
	pid, err := startTestChild(arg + "," + dir)
	if err != nil {
		return 97
	}
	var status unix.WaitStatus
	for errors.Is(wait(pid, &status), unix.EINTR) {
	}
	after(dir)
	return status.ExitStatus()
}

func before(dir string) error {
	// The root's directory.
	return unix.Mkdir(dir, 0o700)
}

func after(dir string) {
	// Nothing stays.
	_ = unix.Rmdir(dir)
}

func wait(pid int, status *unix.WaitStatus) error {
	// Sleep until it has ended.
	_, err := unix.Wait4(pid, status, 0, nil)
	return err
}

func startTestChild(arg string) (int, error) {
	attr := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWPID}
	if os.Getuid() != 0 {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	env := []string{roleEnv + "=child=" + arg}
	// Born with new namespaces.
	return syscall.ForkExec("/proc/self/exe", os.Args, &syscall.ProcAttr{
		Env: env, Files: []uintptr{0, 1, 2}, Sys: attr,
	})
}

func child(arg string) int {
	command, dir, _ := strings.Cut(arg, ",")
	if inside(dir) != nil {
		return 96
	}
	if strings.HasPrefix(command, "init ") {
		return initTest(command[len("init "):])
	}
	return execTest(command)
}

func inside(dir string) error {
	// Cut propagation.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	// A file system in memory.
	err := unix.Mount("none", dir, "tmpfs",
		unix.MS_NOSUID|unix.MS_NODEV, "size=64k")
	if err != nil {
		return err
	}
	// Not comment of the
	// first line only.
	if err := unix.Sethostname([]byte("inside")); err != nil {
		return err
	}
	// No way back.
	return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}

func execTest(command string) int {
	// The command.
	_ = unix.Exec("/bin/sh", []string{"sh", "-c", command}, []string{"PATH=/bin:/usr/bin"})
	return 95
}

func initTest(command string) int {
	// The command is a child of init.
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", command}, &syscall.ProcAttr{
		Files: []uintptr{0, 1, 2},
	})
	if err != nil {
		return 94
	}
	var status unix.WaitStatus
	for errors.Is(wait(pid, &status), unix.EINTR) {
	}
	return status.ExitStatus()
}

// signals tells whether a signal arrives in spite of the tracer.
func signals() int {
	got := make(chan os.Signal, 1)
	signal.Notify(got, unix.SIGUSR1, unix.SIGSTOP)
	mark()
	unix.Kill(os.Getpid(), unix.SIGUSR1)
	select {
	case <-got:
		return 5
	case <-time.After(10 * time.Second):
		return 6
	}
}

// stopped has a command that stops itself, and makes it go on when it has.
func stopped() int {
	mark()
	// A command that stops.
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", "kill -STOP $$; exit 4"},
		&syscall.ProcAttr{})
	if err != nil {
		return 97
	}
	var status unix.WaitStatus
	for errors.Is(waitStopped(pid, &status), unix.EINTR) {
	}
	if !status.Stopped() {
		return 93
	}
	unix.Kill(pid, unix.SIGCONT)
	for errors.Is(wait(pid, &status), unix.EINTR) {
	}
	return status.ExitStatus()
}

func waitStopped(pid int, status *unix.WaitStatus) error {
	_, err := unix.Wait4(pid, status, unix.WUNTRACED, nil)
	return err
}

// orphan ends before its child.
func orphan() int {
	mark()
	// A child that hangs.
	_, err := syscall.ForkExec("/proc/self/exe", os.Args, &syscall.ProcAttr{
		Env: []string{roleEnv + "=hang"}, Files: []uintptr{0, 1, 2},
	})
	if err != nil {
		return 97
	}
	return 8
}

// denied makes calls that fail.
func denied() int {
	mark()
	// Not there.
	_ = unix.Chdir("/does/not/exist")
	// Not a mount point.
	_ = unix.PivotRoot("/tmp", "/tmp")
	if os.Geteuid() != 0 {
		// Not allowed to a user.
		_ = unix.Mount("none", "/tmp", "tmpfs", 0, "")
	}
	return 0
}

// lines makes one call for each way in which a call can stand in the source.
func lines() int {
	mark()
	inlined()
	// In the header of an if.
	if err := unix.Access("/header", unix.R_OK); err == nil {
		return 1
	}
	// Over several lines.
	_ = unix.Faccessat(unix.AT_FDCWD,
		"/several",
		unix.R_OK, 0)
	func() {
		// In a closure.
		_ = unix.Access("/closure", unix.R_OK)
	}()
	bare()
	// By the standard library.
	_, _ = os.Stat("/library")
	// By the standard library, but not mere bookkeeping.
	_ = os.Mkdir("/does/not/exist", 0o700)
	return 0
}

func inlined() {
	// Inlined.
	_ = unix.Access("/inlined", unix.R_OK)
}

func bare() {
	_ = unix.Access("/bare", unix.R_OK)
}
