package oracle

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// A Log is the kernel's, as /dev/kmsg shows it. It may be nil: where it cannot be read,
// there is none.
type Log struct{ fd int }

// OpenLog opens the kernel's log, for those who may read it: root, and everybody where
// kernel.dmesg_restrict is 0.
func OpenLog() *Log {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	return &Log{fd}
}

// Mark passes over all that has been written into the log up to now.
func (l *Log) Mark() {
	if l != nil {
		_, _ = unix.Seek(l.fd, 0, unix.SEEK_END)
	}
}

// Close ends it.
func (l *Log) Close() {
	if l != nil {
		unix.Close(l.fd)
	}
}

// about are the words by which lines are known that tell something of containers. Other
// processes write into the log too.
var about = []string{
	"overlay", "too revealing", "VFS:", "apparmor", "audit", "selinux", "cgroup", "cpuset",
	"seccomp", "Unknown parameter", "Bad value", "unknown parameter",
}

// Lines are those that have been written since the mark and tell something of
// containers.
func (l *Log) Lines() []string {
	if l == nil {
		return nil
	}
	var lines []string
	buf := make([]byte, 8<<10) // one record a read
	for range 256 {
		n, err := unix.Read(l.fd, buf)
		if errors.Is(err, unix.EPIPE) {
			continue // records that have been overwritten meanwhile
		}
		if err != nil || n <= 0 {
			break
		}
		if text := record(string(buf[:n])); text != "" {
			lines = append(lines, text)
		}
	}
	return lines
}

// record is the message of one record: 6,1339,5140900,-;overlayfs: ... It may be followed
// by lines of keys.
func record(text string) string {
	_, message, _ := strings.Cut(text, ";")
	message, _, _ = strings.Cut(message, "\n")
	for _, word := range about {
		if strings.Contains(strings.ToLower(message), strings.ToLower(word)) {
			return message
		}
	}
	return ""
}
