package pause

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/containerkit/kit/internal/procfs"
)

// A SignalError says that a signal has come in place of a key.
type SignalError struct{ Signal unix.Signal }

func (e *SignalError) Error() string { return "signal: " + e.Signal.String() }

// errRedraw is what Read returns when the screen is not what it was: the window has
// another size, or the shell has had the terminal meanwhile.
var errRedraw = errors.New("the screen has changed")

// A Terminal is the terminal that kit was started from (tty(4)), whatever standard
// input is. Between Enter and Leave each key comes as it is pressed.
type Terminal struct {
	file    *os.File
	before  *term.State
	signals chan os.Signal
	lent    int // the process group that had the keyboard before Enter, 0 for ours
}

// Open opens it. There is none in a pipeline of a CI job, nor under cron(8).
func Open() (*Terminal, error) {
	file, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	t := &Terminal{file: file}
	if err := file.SetReadDeadline(time.Time{}); err != nil {
		file.Close()
		return nil, fmt.Errorf("a key cannot be waited for: %w", err)
	}
	return t, nil
}

// fd is its descriptor. (*os.File).Fd would make reads wait in the kernel, where no
// deadline ends them.
func (t *Terminal) fd() (fd int) {
	conn, err := t.file.SyscallConn()
	if err != nil {
		return -1
	}
	_ = conn.Control(func(f uintptr) { fd = int(f) })
	return fd
}

// Same tells that f is this terminal.
func (t *Terminal) Same(f *os.File) bool {
	theirs, err := unix.IoctlGetUint32(int(f.Fd()), unix.TIOCGDEV)
	ours, err2 := unix.IoctlGetUint32(t.fd(), unix.TIOCGDEV)
	return err == nil && err2 == nil && theirs == ours
}

// Size is how many columns and rows it has, 80 and 24 where it does not say.
func (t *Terminal) Size() (columns, rows int) {
	columns, rows, err := term.GetSize(t.fd())
	if err != nil || columns == 0 || rows == 0 {
		return 80, 24
	}
	return columns, rows
}

// Write implements io.Writer.
func (t *Terminal) Write(b []byte) (int, error) { return t.file.Write(b) }

// Enter makes the terminal ours. Owner tells the process groups whose keyboard may be
// taken for as long: those of the container's processes.
func (t *Terminal) Enter(owner func(group int) bool) error {
	t.signals = make(chan os.Signal, 8)
	signal.Notify(t.signals, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGHUP,
		unix.SIGWINCH, unix.SIGCONT)
	t.borrow(owner)
	return t.quiet()
}

// Leave gives it back as it was.
func (t *Terminal) Leave() {
	t.loud()
	if t.lent != 0 {
		_ = t.give(t.lent)
		t.lent = 0
	}
	signal.Stop(t.signals)
}

// quiet turns off echo, the line editor, and the keys that send signals.
func (t *Terminal) quiet() error {
	state, err := term.GetState(t.fd())
	if err != nil {
		return err
	}
	t.before = state
	now, err := unix.IoctlGetTermios(t.fd(), unix.TCGETS)
	if err != nil {
		return err
	}
	now.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	now.Oflag |= unix.OPOST | unix.ONLCR
	now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 1, 0
	// TCSETS and not TCSETSF: a key that was pressed early is not lost.
	return unix.IoctlSetTermios(t.fd(), unix.TCSETS, now)
}

func (t *Terminal) loud() {
	if t.before != nil {
		_ = term.Restore(t.fd(), t.before)
		t.before = nil
	}
}

// Read waits for a key, and takes no more than that one: what is typed ahead may be for
// the command. It returns errRedraw, or a *SignalError, when one comes first, and io.EOF
// or another error when the terminal is gone.
func (t *Terminal) Read(key []byte) (n int, err error) {
	n, err = t.await(key[:1])
	for n == 1 && (key[0] == '\x1b' || key[0] >= utf8.RuneSelf) || n > 1 && !whole(key[:n]) {
		// The rest of what the key sends is there with its first byte.
		waiting, e := unix.IoctlGetInt(t.fd(), unix.TIOCINQ)
		if e != nil || waiting == 0 || n == len(key) {
			break
		}
		if _, e := t.file.Read(key[n : n+1]); e != nil {
			break
		}
		n++
	}
	return n, err
}

// whole tells that the bytes are all that a key sends.
func whole(key []byte) bool {
	if key[0] != '\x1b' {
		return utf8.FullRune(key)
	}
	return len(key) > 2 && lengthOf(string(key)) == len(key) || len(key) == 2 && key[1] != '[' &&
		key[1] != 'O'
}

// await waits for the first byte of a key.
func (t *Terminal) await(keys []byte) (int, error) {
	read, told := make(chan struct{}), make(chan os.Signal, 1)
	_ = t.file.SetReadDeadline(time.Time{})
	go func() {
		defer close(told)
		select {
		case s := <-t.signals:
			told <- s
			_ = t.file.SetReadDeadline(time.Unix(1, 0))
		case <-read:
		}
	}()
	n, err := t.file.Read(keys)
	close(read)
	s, ok := <-told
	if !ok {
		return n, err
	}
	switch s {
	case unix.SIGCONT:
		// Whoever had the terminal meanwhile may have set it in their own way.
		t.loud()
		err = t.quiet()
	case unix.SIGWINCH:
		err = nil
	default:
		return 0, &SignalError{s.(syscall.Signal)}
	}
	if n == 0 && err == nil {
		err = errRedraw
	}
	return n, err
}

// Suspend stops kit's whole process group, as Ctrl-Z does elsewhere, and returns when
// it goes on.
func (t *Terminal) Suspend() error {
	t.loud()
	// The signal stops whoever does not handle it; a group of which nobody could
	// wake us is not stopped at all (setpgid(2)).
	if err := unix.Kill(0, unix.SIGTSTP); err != nil {
		return err
	}
	// It may be another thread of ours that it stops, a moment from now.
	late := time.After(100 * time.Millisecond)
	for {
		select {
		case s := <-t.signals:
			if s == unix.SIGCONT {
				return t.quiet()
			}
		case <-late:
			return t.quiet()
		}
	}
}

// borrow takes the keyboard from the container's processes, or from a group that has
// ended: it is given to the command before that begins, and taken back late.
func (t *Terminal) borrow(owner func(group int) bool) {
	group, err := unix.IoctlGetInt(t.fd(), unix.TIOCGPGRP)
	if err != nil || group == unix.Getpgrp() {
		return
	}
	empty := errors.Is(unix.Kill(-group, 0), unix.ESRCH)
	if !empty && !owner(group) {
		return // kit is in the background: reading a key will stop it there
	}
	if t.give(unix.Getpgrp()) == nil && !empty {
		t.lent = group
	}
}

// give makes a process group the one that has the keyboard. From the background this is
// allowed to who blocks SIGTTOU (tcsetpgrp(3)).
func (t *Terminal) give(group int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var block, old unix.Sigset_t
	block.Val[0] = 1 << (unix.SIGTTOU - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &block, &old); err != nil {
		return err
	}
	defer func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil) }()
	return unix.IoctlSetPointerInt(t.fd(), unix.TIOCSPGRP, group)
}

// Groups returns an owner for Enter: the groups of processes that were seen, and of
// those that an init among them has started.
func Groups(pids map[int]bool) func(group int) bool {
	return func(group int) bool {
		status, err := procfs.ReadStatus(group)
		return pids[group] || err == nil && pids[status.PPid]
	}
}
