package hint

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/elfdep"
	"github.com/containerkit/kit/internal/probe"
)

// forExec says why a command could not be started. It looks for the reason
// where the command was looked for: inside.
func forExec(e *container.ExecError) []string {
	if errors.Is(e.Err, unix.E2BIG) {
		return tooLong()
	}
	if e.Path == "" {
		return []string{"it was looked for inside the container, not on the host: the root file " +
			"system has no such program"}
	}
	if err := elfdep.Explain("/", e.Path); err != nil {
		return []string{err.Error()}
	}
	if errors.Is(e.Err, unix.EPERM) {
		return deniedByFilter()
	}
	return nil
}

// forClone says why new namespaces could not be made, and what to do about it.
func forClone(e *container.CloneError) []string {
	// Go's fork shares its memory with the child until execve.
	if errors.Is(e.Err, unix.EINVAL) && clocksDiffer() {
		return oldKernel("--time-offset for a child that still shares memory", "6.2")()
	}
	if errors.Is(e.Err, unix.E2BIG) {
		return tooLong()
	}
	return Facts(probe.Explain(e.Flags, e.Err))
}

// clocksDiffer tells that our children are to get other clocks than ours.
func clocksDiffer() bool {
	ours, err := os.Readlink("/proc/thread-self/ns/time")
	theirs, _ := os.Readlink("/proc/thread-self/ns/time_for_children")
	return err == nil && ours != theirs
}
