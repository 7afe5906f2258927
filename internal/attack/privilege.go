package attack

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/lab"
)

// privileges are the attacks by which a process gets more power than it has.
func privileges() []*Attack {
	return []*Attack{
		{
			Name: "userns", Tries: "become root in a new user namespace", Stop: 6,
			By: []Call{{"seccomp", ""}},
			Why: "The filter refuses clone with CLONE_NEWUSER: in a namespace of its own a process " +
				"has all capabilities, and reaches kernel code that was written for root.",
			Run: func(t *Target) (string, error) { return outOfChroot(t, cloneUser) },
		},
		{
			Name: "clone3", Tries: "the same by clone3, past the filter", Stop: 6,
			By: []Call{{"seccomp", ""}},
			Why: "A filter sees no flags that lie behind a pointer, so clone3 does not exist here " +
				"(ENOSYS), and programs fall back to clone, whose flags it sees.",
			Run: func(t *Target) (string, error) { return outOfChroot(t, clone3User) },
		},
		{
			Name: "setuid", Tries: "become root by a set-uid program", Stop: 6,
			By:  []Call{{"prctl", "NO_NEW_PRIVS"}},
			Why: "With no_new_privs an execve gives nothing. Docker leaves that to a flag.",
			Run: runSetuid,
		},
	}
}

// outOfChroot tries once more outside of a chroot: in one the kernel refuses new
// user namespaces, but it can be left.
func outOfChroot(t *Target, try func() error) (string, error) {
	err := try()
	if errors.Is(err, unix.EPERM) && t.Root == "" && DoubleChroot() == nil {
		err = try()
	}
	return "a user namespace, with all capabilities in it", err
}

func cloneUser() error {
	pid, errno := lab.Idle(unix.CLONE_NEWUSER|uintptr(unix.SIGCHLD), 0)
	if errno != 0 {
		return fmt.Errorf("clone CLONE_NEWUSER: %w", errno)
	}
	_, err := unix.Wait4(pid, nil, 0, nil)
	return err
}

// cloneArgs are those of clone3(2).
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal, stack, stackSize, tls uint64
}

func clone3User() error {
	args := cloneArgs{flags: unix.CLONE_NEWUSER, exitSignal: uint64(unix.SIGCHLD)}
	pid, errno := clone3(&args)
	if errno != 0 {
		return fmt.Errorf("clone3 CLONE_NEWUSER: %w", errno)
	}
	_, err := unix.Wait4(pid, nil, 0, nil)
	return err
}

// clone3 starts a process that ends at once.
//
//go:noinline
//go:norace
//go:nosplit
func clone3(args *cloneArgs) (pid int, errno syscall.Errno) {
	child, _, errno := syscall.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(args)),
		unsafe.Sizeof(*args), 0)
	if child != 0 || errno != 0 {
		return int(child), errno
	}
	for {
		_, _, _ = syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
}

// runSetuid becomes an ordinary user, and runs a copy of kit that belongs to root and
// has the set-uid bit.
func runSetuid(t *Target) (string, error) {
	const user = 1000
	path := t.Root + setuidProgram
	cmd := exec.Command(path, "attack", "euid")
	cmd.Args[0] = "kit"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: user, Gid: user, NoSetGroups: true},
	}
	// A chroot has no /dev/null, which these would otherwise be.
	cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("execve %s as uid %d: %w", path, user, cause(err))
	}
	if euid := strings.TrimSpace(string(out)); euid != "0" {
		return "", fmt.Errorf("execve %s: it is set-uid, and runs as uid %s", path, euid)
	}
	return fmt.Sprintf("uid %d became root", user), nil
}

// setuidProgram is its path in the container.
const setuidProgram = "/bin/kit-setuid"

// cause is the errno in an error of the standard library's, or the error.
func cause(err error) error {
	if errno := unix.Errno(0); errors.As(err, &errno) {
		return errno
	}
	return err
}
