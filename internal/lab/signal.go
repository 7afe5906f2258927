package lab

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// quitAddress is that of quit, see signal_*.s: a signal handler that ends the process.
var quitAddress uintptr

// action is the kernel's struct sigaction, as in rt_sigaction(2).
type action struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

const ignored = 1 // SIG_IGN

// endOn installs quit. A handler in Go would need a thread to run on, and time on
// a CPU, of which there may be little.
func endOn(signals ...unix.Signal) error {
	for _, s := range signals {
		var old action
		if err := sigaction(s, nil, &old); err != nil {
			return err
		}
		if old.handler == ignored {
			continue // as nohup(1) wants it
		}
		const flags = saOnStack | saRestorer
		quit := &action{handler: quitAddress, flags: flags, restorer: quitAddress}
		if err := sigaction(s, quit, nil); err != nil {
			return err
		}
	}
	return nil
}

const (
	saOnStack  = 0x08000000 // SA_ONSTACK: a goroutine's stack is too small
	saRestorer = 0x04000000 // SA_RESTORER: amd64 takes no handler without one
)

func sigaction(s unix.Signal, action, old *action) error {
	_, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s),
		uintptr(unsafe.Pointer(action)), uintptr(unsafe.Pointer(old)), 8, 0, 0)
	if errno != 0 {
		return fmt.Errorf("rt_sigaction %s: %w", unix.SignalName(s), errno)
	}
	return nil
}
