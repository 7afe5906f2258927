package cgroups

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// write puts a line into one of a cgroup's files.
func write(path, line string) error {
	// The kernel makes the file up: nothing of it is on a disk.
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	// One line, one write: what it says holds from now on.
	_, err = unix.Write(fd, []byte(line))
	// The kernel has acted, or refused, already.
	unix.Close(fd)
	if err != nil {
		return fmt.Errorf("write %s to %s: %w", line, path, err)
	}
	return nil
}

// write applies the setting to the cgroup at dir. Where the kernel does not
// count swap, there is nothing to forbid.
func (s setting) write(dir string) error {
	err := write(dir+"/"+s.file, s.value)
	swap := s.file == "memory.swap.max" || s.file == "memory.memsw.limit_in_bytes"
	if swap && errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// controller tells which controller must be enabled for the setting.
func (s setting) controller() string {
	name, _, _ := strings.Cut(s.file, ".")
	return name
}

// read returns the text of one of the kernel's files.
func read(path string) (string, error) {
	// The kernel writes the text down in the moment in which it is read.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", path, err)
	}
	// All of it is read at once, below.
	defer unix.Close(fd)
	var text strings.Builder
	buf := make([]byte, 16<<10)
	for {
		// As much as the kernel gives at once; nothing at the end.
		n, err := unix.Read(fd, buf)
		if err != nil {
			return "", fmt.Errorf("read %s: %w", path, err)
		}
		if n == 0 {
			return text.String(), nil
		}
		text.Write(buf[:n])
	}
}

// words returns the words in one of the kernel's files.
func words(path string) ([]string, error) {
	text, err := read(path)
	return strings.Fields(text), err
}
