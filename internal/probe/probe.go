// Package probe finds out what this machine lets us do by doing it, and says in
// words why something cannot be done: from the errno, and from what the kernel
// says about itself at that moment.
package probe

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Fact is one reason why something does not work here.
type Fact struct {
	Problem string // what is in the way: "user.max_user_namespaces is 0"
	Why     string // what the kernel makes of it
	Fix     string // what to do about it
}

// An Error is a trial that failed.
type Error struct {
	What  string // "user namespace"
	Err   error
	Facts []Fact // the most certain first; never empty
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %v: %s", e.What, e.Err, e.Facts[0].Problem)
}

func (e *Error) Unwrap() error { return e.Err }

// UserNamespaces tries what a user who is not root needs: a user namespace with
// a map, and in it a mount namespace with private mounts. It returns an *Error
// where that cannot be had.
func UserNamespaces() error {
	if err := try(unix.CLONE_NEWUSER, 0); err != nil {
		return failed("user namespace", unix.CLONE_NEWUSER, err)
	}
	if err := try(unix.CLONE_NEWUSER, unix.CLONE_NEWNS); err != nil {
		return failed("mount in a user namespace", unix.CLONE_NEWUSER|unix.CLONE_NEWNS, err)
	}
	return nil
}

// Namespaces tries to start a process in new namespaces, CLONE_NEW* as in
// clone(2). With CLONE_NEWUSER the caller is its root. It returns an *Error where
// that cannot be done.
func Namespaces(flags uintptr) error {
	if err := try(flags, 0); err != nil {
		return failed("new namespaces", flags, err)
	}
	return nil
}

func failed(what string, flags uintptr, err error) error {
	return &Error{What: what, Err: err, Facts: Explain(flags, err)}
}

// try starts this very program, which ends at once, in new namespaces. Those of
// unshare are made by the child itself, once it is root; with CLONE_NEWNS it
// then makes its mounts private, as the first step does.
func try(clone, unshare uintptr) error {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{"KIT_ROLE=probe"}
	// Ours, since there may be no /dev/null here.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: clone, Unshareflags: unshare, Pdeathsig: unix.SIGKILL,
	}
	if clone&unix.CLONE_NEWUSER != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	err := cmd.Run()
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
