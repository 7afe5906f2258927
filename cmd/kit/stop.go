//go:build linux

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/containerkit/kit/internal/cgroup"
	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/state"
	"github.com/containerkit/kit/steps"
)

func newStopCommand() *cobra.Command {
	var seconds int
	cmd := &cobra.Command{
		Use:   "stop NAME [--time SECONDS]",
		Short: "End a container: SIGTERM, and SIGKILL if that does not do",
		Long: `End a container: its first process gets SIGTERM, and if it runs on after --time,
SIGKILL, with which its kit step ends with status 137 (128 and the signal's number).
As the first process of a PID namespace it gets only signals for which it has a handler,
SIGKILL aside. Waits until kit has removed what belonged to it.`,
		Args: wants(whichContainer),
		RunE: func(_ *cobra.Command, args []string) error {
			if seconds < 0 {
				return fmt.Errorf("--time %d: less than 0 seconds", seconds)
			}
			if err := stop(args[0], time.Duration(seconds)*time.Second); err != nil {
				return failed(fmt.Errorf("stop %s: %w", args[0], err))
			}
			return nil
		},
	}
	cmd.Flags().IntVarP(&seconds, "time", "t", 10, "`seconds` until SIGKILL; 0: at once")
	return cmd
}

// stop ends a container and waits until its kit has cleaned up.
func stop(name string, grace time.Duration) error {
	s, err := state.Load(name)
	if err != nil {
		return err
	}
	pidfd, err := unix.PidfdOpen(s.Pid, 0)
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("pidfd_open %d: %w", s.Pid, err)
	}
	if err == nil {
		defer unix.Close(pidfd)
		// The number could have become another's before pidfd_open, but not since.
		if s.Running() {
			if err := terminate(s, pidfd, grace); err != nil {
				return err
			}
		}
	}
	if err := awaitCleanUp(s); err != nil {
		return err
	}
	return container.CleanStale(name, steps.All) // where its kit was killed, we do it
}

// noteKilled says at a terminal what a status stands for that a shell prints as "Killed".
func noteKilled(c *container.Container, exit int) {
	if exit == 128+int(unix.SIGKILL) && len(c.Notes) == 0 && term.IsTerminal(2) {
		note([]string{"status 137: ended by SIGKILL, as from kit stop, kill -9, or a kernel that was " +
			"out of memory"})
	}
}

// terminate ends the process of pidfd, which is the first of a container.
func terminate(s state.State, pidfd int, grace time.Duration) error {
	if dirs, err := cgroupsOf(s); err == nil {
		// Nobody can heed a signal while frozen, and under v1 not even SIGKILL helps.
		if _, err := cgroup.Thaw(dirs, patience); err != nil && !errors.Is(err, cgroup.ErrNoFreezer) {
			return err
		}
	}
	if grace > 0 {
		if err := signalTo(pidfd, unix.SIGTERM); err != nil {
			return err
		}
		if ended, err := awaitEnd(pidfd, grace); ended || err != nil {
			return err
		}
	}
	if err := signalTo(pidfd, unix.SIGKILL); err != nil {
		return err
	}
	ended, err := awaitEnd(pidfd, patience)
	if err == nil && !ended {
		err = fmt.Errorf("pid %d: still there %v after SIGKILL", s.Pid, patience)
	}
	return err
}

// signalTo sends a signal; that the process has just ended is no error.
func signalTo(pidfd int, sig unix.Signal) error {
	err := unix.PidfdSendSignal(pidfd, sig, nil, 0)
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("pidfd_send_signal %s: %w", unix.SignalName(sig), err)
	}
	return nil
}

// awaitEnd waits until a process has ended, but no longer than d.
func awaitEnd(pidfd int, d time.Duration) (ended bool, err error) {
	deadline := time.Now().Add(d)
	for {
		left := max(0, time.Until(deadline))
		fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, int((left + time.Millisecond - 1).Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("poll pidfd: %w", err)
		}
		return n > 0, nil
	}
}

// awaitCleanUp waits until the container is forgotten.
func awaitCleanUp(s state.State) error {
	const enough = 30 * time.Second
	for deadline := time.Now().Add(enough); time.Now().Before(deadline); {
		known, err := state.Known(s)
		if err != nil || !known {
			return err
		}
		if s.Stale() {
			return nil // its kit was killed
		}
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Errorf("kit (pid %d) has not cleaned up after %v", s.KitPid, enough)
}
