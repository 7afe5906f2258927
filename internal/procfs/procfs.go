// Package procfs reads what the kernel tells about a process under /proc
// (proc(5)): namespaces, status, id maps, cgroups, start time.
//
// Every reader takes a tid: the id of a thread, or of a process for its first
// thread, as the reader's own PID namespace counts; 0 is the calling thread. A
// text file is read as a whole and then parsed, so that a caller who is inside
// a system call's stop holds nothing open. Errors wrap the errno: ESRCH where
// the process is gone, EACCES where the kernel does not let us look.
package procfs

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// ErrNotMounted tells that there is no proc file system at /proc.
var ErrNotMounted = errors.New("no proc file system there")

// Mounted returns nil where /proc is a proc file system, by its magic number
// (statfs(2)).
func Mounted() error {
	var fs unix.Statfs_t
	if err := unix.Statfs("/proc", &fs); err != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		return fmt.Errorf("statfs /proc: %w", ErrNotMounted)
	}
	return nil
}

// Path is the name of a thread's file under /proc.
func Path(tid int, file string) string {
	if tid == 0 {
		return "/proc/thread-self/" + file
	}
	return "/proc/" + strconv.Itoa(tid) + "/" + file
}

// read returns a file's contents. A process that is gone has no files: that
// ENOENT is returned as ESRCH, which is also what reading its open files gives.
func read(tid int, file string) ([]byte, error) {
	path := Path(tid, file)
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) && !exists(tid) {
		err = unix.ESRCH
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	defer unix.Close(fd)
	text, err := readAll(fd)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return text, nil
}

// readAll reads a descriptor to its end. It takes a third less than an os.File,
// which looks for something to poll.
func readAll(fd int) ([]byte, error) {
	text := make([]byte, 0, 2048)
	for {
		text = slices.Grow(text, 1024)
		n, err := unix.Read(fd, text[len(text):cap(text)])
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			return text, err
		}
		text = text[:len(text)+n]
	}
}

// exists tells that there is such a thread, be it a zombie.
func exists(tid int) bool {
	return unix.Access(Path(tid, ""), unix.F_OK) == nil
}
