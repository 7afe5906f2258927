package container

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// wait waits for a child process and returns its exit status as a shell gives
// it: 128+N where signal N ended it.
func wait(pid int) (int, error) {
	for {
		var status unix.WaitStatus
		// Sleep until the child has ended; the kernel keeps its exit status for us.
		_, err := unix.Wait4(pid, &status, 0, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 125, fmt.Errorf("wait4 %d: %w", pid, err)
		}
		return exitStatus(status), nil
	}
}

func exitStatus(status unix.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// end kills a child that must not go on, and reaps it.
func end(pid int) {
	// The container cannot be finished: its first process, and with it all, ends.
	unix.Kill(pid, unix.SIGKILL)
	_, _ = wait(pid)
}
