package container

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// openTerminal gives the child a terminal of its own: a new pseudoterminal
// (pty(7)). The child keeps the slave as its standard input, output and error;
// the master goes to the parent, which sits between it and the user's terminal.
func openTerminal(c *Container, g *gate, ptmx string) error {
	// Opening ptmx makes a new pair; this is its master.
	master, err := unix.Open(ptmx, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", ptmx, err)
	}
	// The parent has it from here on.
	defer unix.Close(master)
	// A new slave is locked until its owner says otherwise.
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return fmt.Errorf("ioctl TIOCSPTLCK %s: %w", ptmx, err)
	}
	if c.Window != nil {
		size := unix.Winsize{Row: c.Window.Rows, Col: c.Window.Columns}
		// The program sees the right size from its first line on.
		if err := unix.IoctlSetWinsize(master, unix.TIOCSWINSZ, &size); err != nil {
			return fmt.Errorf("ioctl TIOCSWINSZ: %w", err)
		}
	}
	slave, err := openPeer(master)
	if err != nil {
		return err
	}
	if err := g.sendFile(master); err != nil {
		return err
	}
	return adoptTerminal(slave, c.Init)
}

// openPeer opens the slave that belongs to a master (ioctl_tty(2)).
func openPeer(master int) (int, error) {
	const flags = unix.O_RDWR | unix.O_NOCTTY
	// The slave is reached through its master: no path is needed.
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(master), unix.TIOCGPTPEER, flags)
	if errno != 0 {
		return -1, fmt.Errorf("ioctl TIOCGPTPEER: %w", errno)
	}
	return int(fd), nil
}

// adoptTerminal makes slave descriptors 0, 1 and 2, and our controlling
// terminal, unless an init leaves that to the command it starts.
func adoptTerminal(slave int, isInit bool) error {
	// A new session has no terminal yet, so it can be given one.
	if _, err := unix.Setsid(); err != nil {
		return fmt.Errorf("setsid: %w", err)
	}
	if !isInit {
		// Ctrl-C at this terminal now means us and our children.
		if err := unix.IoctlSetInt(slave, unix.TIOCSCTTY, 0); err != nil {
			return fmt.Errorf("ioctl TIOCSCTTY: %w", err)
		}
	}
	for fd := range 3 {
		// What the command reads and writes is the terminal.
		if err := unix.Dup3(slave, fd, 0); err != nil {
			return fmt.Errorf("dup3 %d: %w", fd, err)
		}
	}
	// 0, 1 and 2 keep it open.
	unix.Close(slave)
	return nil
}

// relay sits between the user's terminal and the container's (with -t): keys
// one way, output the other, and the window's size. The function it returns
// waits for the last output and puts the user's terminal back as it was.
func relay(c *Container, g *gate) (restore func(), err error) {
	if !c.TTY {
		return func() {}, nil
	}
	fd, err := g.receiveFile()
	if err != nil {
		return nil, fmt.Errorf("gate: recvmsg: %w", err)
	}
	if fd < 0 {
		return func() {}, nil // the child ended without a terminal, and says why
	}
	// Closing it then ends a read of it, too.
	_ = unix.SetNonblock(fd, true)
	master := os.NewFile(uintptr(fd), "ptmx")
	stdin := int(os.Stdin.Fd())
	// Every key goes to the container's terminal as it is, Ctrl-C included.
	before, err := term.MakeRaw(stdin)
	isTerminal := err == nil

	drained := make(chan struct{})
	go func() {
		// Until the last holder of the slave has closed it: then read gives EIO.
		if _, err := io.Copy(os.Stdout, master); errors.Is(err, unix.EPIPE) {
			// Nobody reads the output any more: the container's terminal hangs up.
			master.Close()
		}
		close(drained)
	}()
	go func() {
		_, _ = io.Copy(master, os.Stdin)
		if isTerminal {
			// The user's terminal is gone: the container's hangs up too.
			master.Close()
			return
		}
		_, _ = master.Write([]byte{4}) // the end of a pipe is Ctrl-D at a terminal
	}()
	stop := followSize(fd)
	return func() {
		select {
		case <-drained:
		case <-time.After(200 * time.Millisecond): // a process left behind holds it
		}
		stop()
		if isTerminal {
			// The user's terminal is as it was before.
			_ = term.Restore(stdin, before)
		}
	}, nil
}

// followSize gives the container's terminal the size of the user's, now and
// whenever that changes.
func followSize(master int) (stop func()) {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, unix.SIGWINCH)
	go func() {
		for range changed {
			if w := WindowSize(); w != nil {
				size := unix.Winsize{Row: w.Rows, Col: w.Columns}
				// The kernel tells the programs inside with a SIGWINCH of its own.
				_ = unix.IoctlSetWinsize(master, unix.TIOCSWINSZ, &size)
			}
		}
	}()
	changed <- unix.SIGWINCH
	return func() {
		signal.Stop(changed)
		close(changed)
	}
}

// HoldsTerminal tells that standard input is our terminal, and that its keyboard
// is ours: kit was started by hand, and not in the background.
func HoldsTerminal() bool {
	// Which process group does the terminal talk to?
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	if err != nil {
		return false
	}
	// Is it the one that we are in?
	return group == unix.Getpgrp()
}

// reclaimTerminal takes the terminal's keyboard back from a command that was
// given it, for whoever started kit.
func reclaimTerminal(c *Container) {
	if !c.Foreground {
		return
	}
	// The terminal would stop us for reaching for it from the background.
	signal.Ignore(unix.SIGTTOU)
	// Keys and Ctrl-C are for our process group again.
	_ = unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, unix.Getpgrp())
}

// WindowSize returns the size of the terminal on standard input, nil for none.
func WindowSize() *Winsize {
	// How many rows and columns has the user's terminal?
	size, err := unix.IoctlGetWinsize(int(os.Stdin.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return nil
	}
	return &Winsize{Rows: size.Row, Columns: size.Col}
}
