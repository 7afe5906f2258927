package container

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// runChild is the child's side, from top to bottom. It does not return when all
// goes well: the child becomes the command.
func runChild(g *gate, ladder []Step) (exit int, err error) {
	if err := dieWithParent(); err != nil {
		return 125, &Error{Err: err}
	}
	// The program's file was only needed to get here.
	unix.Close(selfFD)
	c, err := g.receive()
	if err != nil || c == nil {
		return 125, err
	}
	steps := ladder[:c.Steps]

	var root Step
	last := Step{Last: Become}
	for _, s := range steps {
		if err := s.do(s.Child, c); err != nil {
			return 125, err
		}
		if s.Root != nil {
			root = s
		}
		if s.Last != nil {
			last = s
		}
	}
	if c.TTY && !c.Devpts {
		if err := openTerminal(c, g, "/dev/ptmx"); err != nil {
			return 125, &Error{Err: err}
		}
	}
	if err := root.do(root.Root, c); err != nil {
		return 125, err
	}
	for _, s := range steps {
		if err := s.do(s.Inside, c); err != nil {
			return 125, err
		}
	}
	if c.TTY && c.Devpts {
		if err := openTerminal(c, g, "/dev/ptmx"); err != nil {
			return 125, &Error{Err: err}
		}
	}
	return runPayload(c, last)
}

// dieWithParent ties our life to kit's.
func dieWithParent() error {
	// If kit is killed, the container must not live on without it.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("prctl PR_SET_PDEATHSIG: %w", err)
	}
	gate := []unix.PollFd{{Fd: gateFD}}
	// It may have been killed already: then nobody holds the gate's other end.
	// (getppid is no help, it is 0 for a parent outside of our PID namespace.)
	if _, err := unix.Poll(gate, 0); err != nil {
		return fmt.Errorf("poll gate: %w", err)
	}
	if gate[0].Revents&unix.POLLHUP != 0 {
		return errors.New("kit has been killed")
	}
	return nil
}

// closeFiles leaves the command nothing but descriptors 0, 1 and 2: a forgotten
// directory of the host would be a way out (CVE-2024-21626).
func closeFiles() error {
	// Whatever is open above stderr closes itself at execve.
	err := unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	var limit unix.Rlimit
	// Before Linux 5.11: one by one, up to the highest number there can be.
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("getrlimit: %w", err)
	}
	for fd := 3; fd < int(min(limit.Max, 1<<20)); fd++ {
		// Most numbers are not open, and stay so.
		unix.CloseOnExec(fd)
	}
	return nil
}
