package attack

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// leaks are the attacks through what the container was handed by mistake.
func leaks() []*Attack {
	return []*Attack{
		{
			Name: "fd", Tries: "use a file that was left open", Stop: 1,
			By: []Call{{"close_range", ""}},
			Why: "kit closes all descriptors but 0, 1 and 2 before it does anything: a directory of " +
				"the host's would be a way out of everything (CVE-2024-21626).",
			Run: useDescriptor, leak: true,
		},
		{
			Name: "terminal", Tries: "type into the host's terminal", Stop: 6,
			By: []Call{{"seccomp", ""}},
			Why: "kit's filter refuses ioctl TIOCSTI, with which a program types what the user's " +
				"shell reads next. With -t the container has a terminal of its own.",
			Run: typeIntoTerminal, terminal: true,
		},
	}
}

// useDescriptor looks for a directory of the host's among its descriptors.
func useDescriptor(t *Target) (string, error) {
	var found error
	for fd := 3; fd < 10; fd++ {
		text, err := readAt(fd, "secret")
		if err == nil {
			return t.tells(text, fmt.Sprintf("descriptor %d", fd))
		}
		if found == nil {
			found = fmt.Errorf("descriptor %d: %w", fd, err)
		}
	}
	return "", found
}

// typeIntoTerminal types a character: a newline would make a command of it.
func typeIntoTerminal(*Target) (string, error) {
	key := byte('x')
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, 0, unix.TIOCSTI, uintptr(unsafe.Pointer(&key)))
	if errno != 0 {
		return "", fmt.Errorf("ioctl TIOCSTI: %w", errno)
	}
	return "ioctl TIOCSTI: typed into the terminal", nil
}
