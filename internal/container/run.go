package container

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Run builds the container with steps, runs its command in it, and returns the
// command's exit status, or 125 with an error when kit itself failed. A caller
// who is not root gets a user namespace first in which they are.
func Run(c *Container, steps []Step) (exit int, err error) {
	// A second Ctrl-C must not end us before we have cleaned up. (The Go runtime is slow at
	// it on a thread that is locked.)
	signals := CatchSignals()
	// A child dies with the thread that started it (PR_SET_PDEATHSIG), and
	// setns and unshare change one thread only: stay on this one.
	runtime.LockOSThread()
	// No process of ours inherits what our caller has left open: with an init it
	// would stay open in PID 1, where the command can reach it.
	if err := closeFiles(); err != nil {
		return 125, &Error{Err: err}
	}
	if c.Kit == 0 {
		// Nobody has started us to do the rest.
		c.Kit = os.Getpid()
	}
	root := Privileged()
	c.Rootless = c.Rootless || !root || inUserNamespace()
	if c.Rootless && c.UserNS == UserNSRemap || !root && c.UserNS == UserNSHost {
		return 125, &Error{Err: fmt.Errorf("user namespace %s: %w", c.UserNS, unix.EPERM)}
	}
	if !root {
		return becomeRoot(c, signals)
	}
	return runParent(c, steps, signals)
}

// runParent is the parent's side, from top to bottom.
func runParent(c *Container, steps []Step, signals Signals) (exit int, err error) {
	if err := claim(c); err != nil {
		return 125, &Error{Err: err}
	}
	left := false // something of it stays: kit clean will need the record
	defer func() {
		if !left {
			forget(c)
		}
	}()
	c.Attr = &syscall.SysProcAttr{}
	for _, s := range steps {
		// Also after a Before that came half-way.
		defer func() {
			if e := s.do(s.After, c); e != nil {
				left, exit, err = true, 125, errors.Join(err, e)
			}
		}()
		if err := s.do(s.Before, c); err != nil {
			return 125, err
		}
	}

	defer reclaimTerminal(c)
	pid, g, err := startChild(c.Attr)
	if err != nil {
		return 125, &Error{Err: err}
	}
	defer g.close()
	c.Pid, c.Gate = pid, g.theirs

	defer watchWayOut(c)()
	if err := letIn(c, steps, g); err != nil {
		end(pid)
		c.Pid = 0
		if sig := signals.deadly(); sig != 0 {
			err = fmt.Errorf("%s before the command began", unix.SignalName(sig))
			return 128 + int(sig), &Error{Err: err}
		}
		return 125, g.cause(err)
	}
	defer signals.Forward(pid)()
	restore, err := relay(c, g)
	if err != nil {
		end(pid)
		c.Pid = 0
		return 125, &Error{Err: err}
	}
	defer restore()
	exit, err = waitTold(pid, g)
	c.Pid = 0 // the number may be another's from now on
	return exit, err
}

// letIn does the parent's part for the child that waits, and opens the gate.
func letIn(c *Container, steps []Step, g *gate) error {
	for _, s := range steps {
		if err := s.do(s.Parent, c); err != nil {
			return err
		}
	}
	if err := record(c); err != nil {
		return &Error{Err: err}
	}
	if err := forward(c); err != nil {
		return &Error{Err: err}
	}
	return g.send(c)
}

// A CloneError is a process that could not be started in new namespaces.
type CloneError struct {
	Flags uintptr // CLONE_NEW*, as in clone(2)
	Err   error
}

func (e *CloneError) Error() string {
	return fmt.Sprintf("clone %s: %v", namespaceNames(e.Flags), e.Err)
}

func (e *CloneError) Unwrap() error { return e.Err }

// namespaceNames gives the names of the namespaces that flags make new.
func namespaceNames(flags uintptr) string {
	names := ""
	for _, ns := range []struct {
		flag uintptr
		name string
	}{
		{unix.CLONE_NEWUSER, "user"},
		{unix.CLONE_NEWNS, "mnt"},
		{unix.CLONE_NEWPID, "pid"},
		{unix.CLONE_NEWUTS, "uts"},
		{unix.CLONE_NEWIPC, "ipc"},
		{unix.CLONE_NEWNET, "net"},
		{unix.CLONE_NEWCGROUP, "cgroup"},
		{unix.CLONE_NEWTIME, "time"},
	} {
		if flags&ns.flag != 0 {
			names += "," + ns.name
		}
	}
	if names == "" {
		return "a process"
	}
	return "with new namespaces " + names[1:]
}

// inUserNamespace tells that our root is that of a user namespace which somebody
// made for us, as rootless podman does: there it may do no more than in our own.
func inUserNamespace() bool {
	// The first user namespace maps every id to itself.
	m, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && !slices.Equal(strings.Fields(string(m)), []string{"0", "0", "4294967295"})
}

// Privileged tells that we may chroot and mount: the two powers the first steps
// need, and which a root inside someone else's container may lack.
func Privileged() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	// What may we do? Being uid 0 does not tell.
	if err := unix.Capget(&header, &data[0]); err != nil {
		// Root, as far as anybody can tell.
		return os.Geteuid() == 0
	}
	const need = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_SYS_CHROOT
	return data[0].Effective&need == need
}
