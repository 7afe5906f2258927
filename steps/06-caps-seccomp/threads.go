package capsseccomp

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// dropInThreads does to the other threads of this process what capset did to this
// one: capabilities belong to a thread. The others end when this one executes the
// command; where it stays as an init, they stay.
func dropInThreads(
	c *container.Container, header *unix.CapUserHeader, data *[2]unix.CapUserData,
) error {
	if !c.Init {
		return nil
	}
	// The threads of PID 1 are the Go runtime's: none keeps what the command may not have.
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET,
		uintptr(unsafe.Pointer(header)), uintptr(unsafe.Pointer(data)), 0)
	if errno != 0 && errno != unix.ENOTSUP { // ENOTSUP: built with cgo, as for the race detector
		return fmt.Errorf("capset in all threads: %w", errno)
	}
	return nil
}

// dropBoundingInThreads takes from their bounding sets what this one's has lost, of
// the capabilities below known. A thread left as it was would be a way around it:
// root inside may trace PID 1, and have that thread execute a program.
func dropBoundingInThreads(c *container.Container, known uintptr) error {
	for n := range known {
		if c.Security.Capabilities&(1<<n) != 0 {
			continue
		}
		if err := prctlInThreads(c, unix.PR_CAPBSET_DROP, n); err != nil {
			return err
		}
	}
	return nil
}

// prctlInThreads makes a prctl, of which this thread has its own, in the others, too.
func prctlInThreads(c *container.Container, option, value uintptr) error {
	if !c.Init {
		return nil
	}
	// What this thread has given up, the threads that stay with it give up, too.
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_PRCTL, option, value, 0)
	if errno != 0 && errno != unix.ENOTSUP { // as above
		return fmt.Errorf("prctl %d in all threads: %w", option, errno)
	}
	return nil
}
