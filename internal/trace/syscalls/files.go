package syscalls

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// fileStatus renders struct stat (stat(2)): what the file is, whose, and how long.
func fileStatus(f *Frame, i int) string {
	var st unix.Stat_t
	if !f.Returned || !structAt(f, f.Args[i], &st) {
		return number("ptr", f, f.Args[i])
	}
	mode := uint64(st.Mode)
	text := "{st_mode: " + fileMode(mode) + fmt.Sprintf(", st_uid: %d, st_gid: %d", st.Uid, st.Gid)
	switch mode & unix.S_IFMT {
	case unix.S_IFCHR, unix.S_IFBLK:
		text += ", st_rdev: " + number("dev", f, st.Rdev)
	case unix.S_IFREG:
		text += fmt.Sprintf(", st_size: %d", st.Size)
	}
	return text + "}"
}

// fileSystem renders struct statfs (statfs(2)): the kind of file system.
func fileSystem(f *Frame, i int) string {
	var st unix.Statfs_t
	if !f.Returned || !structAt(f, f.Args[i], &st) {
		return number("ptr", f, f.Args[i])
	}
	kind := uint64(uint32(st.Type))
	for _, magic := range magics {
		if magic.value == kind {
			return "{f_type: " + magic.name + "}"
		}
	}
	return fmt.Sprintf("{f_type: 0x%x}", kind)
}

// structAt reads a structure of the machine's own layout.
func structAt(f *Frame, addr uint64, to any) bool {
	buf := make([]byte, binary.Size(to))
	if f.Memory.Read(addr, buf) < len(buf) {
		return false
	}
	return binary.Read(bytes.NewReader(buf), binary.NativeEndian, to) == nil
}

// fcntlArgument renders the argument whose meaning depends on the operation (fcntl(2)).
func fcntlArgument(f *Frame, i int) string {
	raw := f.Args[i]
	switch f.Args[1] {
	case unix.F_SETFL:
		return openFlags(raw)
	case unix.F_SETFD:
		return flags(descriptorFlags[:], raw)
	case unix.F_ADD_SEALS:
		return flags(seals[:], raw)
	case unix.F_GETLK, unix.F_SETLK, unix.F_SETLKW:
		return number("ptr", f, raw)
	}
	return number("int", f, raw)
}

// handled renders an argument of clone that only some of its flags make it read
// (clone(2)): without them it is whatever the register holds.
func handled(f *Frame, i int) string {
	if f.Args[0]&(unix.CLONE_PARENT_SETTID|unix.CLONE_PIDFD) == 0 {
		return "unused"
	}
	return number("ptr", f, f.Args[i])
}

// polled renders the array of struct pollfd (poll(2)), and what has become of it.
func polled(f *Frame, i int) string {
	n := int(min(f.Args[i+1], 8))
	h := halves(f, f.Args[i], 2*n)
	if len(h) < 2*n {
		return number("ptr", f, f.Args[i])
	}
	text := "["
	for j := range n {
		if j > 0 {
			text += ", "
		}
		events := make([]byte, 4) // two shorts
		binary.NativeEndian.PutUint32(events, h[2*j+1])
		asked := uint64(binary.NativeEndian.Uint16(events))
		text += "{fd: " + descriptor(f, uint64(h[2*j])) + ", events: " + flags(pollEvents[:], asked)
		if found := uint64(binary.NativeEndian.Uint16(events[2:])); f.Returned && f.Return > 0 {
			text += ", revents: " + flags(pollEvents[:], found)
		}
		text += "}"
	}
	if uint64(n) < f.Args[i+1] {
		text += ", …"
	}
	return text + "]"
}

// timeSpan renders struct timespec (timespec(3type)), in seconds.
func timeSpan(f *Frame, i int) string {
	w := words(f, f.Args[i], 2)
	if f.Args[i] == 0 || len(w) < 2 {
		return number("ptr", f, f.Args[i])
	}
	return fmt.Sprintf("{tv_sec: %d, tv_nsec: %d}", int64(w[0]), int64(w[1]))
}

// capHeader renders struct __user_cap_header_struct (capget(2)).
func capHeader(f *Frame, i int) string {
	h := halves(f, f.Args[i], 2)
	if len(h) < 2 {
		return number("ptr", f, f.Args[i])
	}
	version := "0x" + strconv.FormatUint(uint64(h[0]), 16)
	if h[0] == unix.LINUX_CAPABILITY_VERSION_3 {
		version = "_LINUX_CAPABILITY_VERSION_3"
	}
	return fmt.Sprintf("{version: %s, pid: %d}", version, h[1])
}

// filledAddress renders a socket address that the kernel fills in: its length follows
// as a pointer.
func filledAddress(f *Frame, i int) string {
	length := halves(f, f.Args[i+1], 1)
	if !f.Returned || f.Args[i] == 0 || len(length) == 0 {
		return number("ptr", f, f.Args[i])
	}
	if length[0] == 0 {
		return "{}"
	}
	filled := *f
	filled.Args[i+1] = uint64(length[0])
	return address(&filled, i)
}

// pointed renders the int that an argument points to.
func pointed(f *Frame, i int) string {
	h := halves(f, f.Args[i], 1)
	if f.Args[i] == 0 || len(h) == 0 {
		return number("ptr", f, f.Args[i])
	}
	return "[" + strconv.Itoa(int(int32(h[0]))) + "]"
}

// option renders a socket option's value: nearly all are an int (socket(7)).
func option(f *Frame, i int) string {
	if f.Args[i+1] != 4 {
		return number("ptr", f, f.Args[i])
	}
	return pointed(f, i)
}

// filledOption is option where the kernel fills it in: its length is pointed to.
func filledOption(f *Frame, i int) string {
	if h := halves(f, f.Args[i+1], 1); !f.Returned || len(h) == 0 || h[0] != 4 {
		return number("ptr", f, f.Args[i])
	}
	return pointed(f, i)
}

// attribute renders the value of an extended attribute (xattr(7)), of which the length
// follows.
func attribute(f *Frame, i int) string { return bytesAt(f, f.Args[i], f.Args[i+1]) }
