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
