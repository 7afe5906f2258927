package state

import (
	"golang.org/x/sys/unix"
)

// read returns what a file in /proc says, nothing for one that may not be read.
// Such a file has no size, and is small: it is read into a large buffer, and
// without the detours that other files need.
func read(path string) []byte {
	// Whatever a traced process has put there must not make us wait.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	buf := make([]byte, 0, 8<<10)
	for {
		n, err := unix.Read(fd, buf[len(buf):cap(buf)])
		if n <= 0 || err != nil {
			return buf
		}
		buf = buf[:len(buf)+n]
		if cap(buf)-len(buf) < 4<<10 {
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
		}
	}
}

// Read returns what a file in /proc/TID says.
func Read(tid int, name string) []byte { return read(Proc(tid, name)) }
