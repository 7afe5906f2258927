package container

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Signals are the signals that kit is sent and that are meant for the command.
type Signals chan os.Signal

// CatchSignals keeps signals from ending kit; they wait for Forward. What kit's
// caller ignores, as nohup(1) does with SIGHUP, stays ignored, by the command too.
func CatchSignals() Signals {
	s := make(Signals, 16)
	for _, sig := range []os.Signal{
		unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGHUP, unix.SIGWINCH,
	} {
		if !signal.Ignored(sig) {
			signal.Notify(s, sig)
		}
	}
	// Nobody may read our output any more: that is an error of write, and not our end.
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	return s
}

// Forward passes on to the process pid what kit is and was sent. A terminal
// sends its own signals (Ctrl-C, Ctrl-\, a new window size) to the whole
// foreground group, the command included: those are not sent twice.
func (s Signals) Forward(pid int) (stop func()) {
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case <-ended:
				return
			case sig := <-s:
				if fromTerminal(sig) && inForeground() {
					continue
				}
				// What was sent to kit was meant for the command.
				unix.Kill(pid, sig.(syscall.Signal))
			}
		}
	}()
	return func() { close(ended) }
}

// deadly is a signal that kit was sent and that ends most programs, or 0.
func (s Signals) deadly() unix.Signal {
	for {
		select {
		case sig := <-s:
			if sig != unix.SIGWINCH {
				return sig.(unix.Signal)
			}
		default:
			return 0
		}
	}
}

func fromTerminal(s os.Signal) bool {
	return s == unix.SIGINT || s == unix.SIGQUIT || s == unix.SIGWINCH
}

// inForeground tells that our process group has the terminal's keyboard.
func inForeground() bool {
	// Our terminal, even where none of 0, 1 and 2 is one.
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	// Which process group does the terminal talk to?
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	// Is it ours?
	return err == nil && group == unix.Getpgrp()
}
