package syscalls

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Memory is what the tracee knows that a raw argument does not say.
type Memory interface {
	// Read copies from addr and returns how many bytes there were.
	Read(addr uint64, buf []byte) int
	// String reads a string that ends in 0.
	String(addr uint64) (s string, ok bool)
	// Path returns where a file descriptor leads, "" for nowhere.
	Path(fd int) string
}

// A Frame is one call of a system call, as far as it has come.
type Frame struct {
	Args     [6]uint64
	Return   int64
	Returned bool // successfully: what the kernel was to fill in is there
	Memory   Memory
}

// Out tells that the kernel fills the argument in: it says something only
// after the call.
func (p Param) Out() bool {
	switch p.Kind {
	case "out", "fds", "wstatus", "msghdrout", "capdataout", "rlimitout",
		"stat", "statfs", "pollfds", "sockout", "lenout", "optout":
		return true
	}
	return false
}

// Rest tells that the argument need not be told where it, and those behind it, are 0.
func (p Param) Rest() bool {
	switch p.Kind {
	case "rest", "prctl3", "cmode", "tid":
		return true
	}
	return false
}

// Text renders argument i of f, symbolically where there are names.
func (p Param) Text(f *Frame, i int) string {
	raw := f.Args[i]
	if set := flagsOf(p.Kind); set != nil {
		return flags(set, raw)
	}
	if list := valuesOf(p.Kind); list != nil {
		return value(list, raw)
	}
	if decode := memoryOf(p.Kind); decode != nil {
		return decode(f, i)
	}
	return number(p.Kind, f, raw)
}

// number renders the kinds that need no memory.
func number(kind string, f *Frame, raw uint64) string {
	switch kind {
	case "int", "fdnum":
		return strconv.FormatInt(signed(raw), 10)
	case "uint":
		return unsigned(raw)
	case "id":
		return strconv.Itoa(int(int32(raw))) // -1 leaves it as it is
	case "fd":
		return descriptor(f, raw)
	case "dirfd":
		if int32(raw) == unix.AT_FDCWD {
			return "AT_FDCWD"
		}
		return descriptor(f, raw)
	case "mode", "cmode": // cmode is read with O_CREAT only
		return fileMode(raw)
	case "dev":
		return fmt.Sprintf("makedev(%d, %d)", unix.Major(raw), unix.Minor(raw))
	case "signal":
		return Signal(raw)
	case "clone":
		return clone(raw)
	case "sock":
		return socketType(raw)
	case "open":
		return openFlags(raw)
	case "ptr", "tid":
		if raw == 0 {
			return "NULL"
		}
	}
	return "0x" + strconv.FormatUint(raw, 16)
}

// fileMode is a mode_t: the type of the file by name, where there is one, and
// the permissions in octal (inode(7)).
func fileMode(raw uint64) string {
	permissions := "0" + strconv.FormatUint(raw&0o7777, 8)
	switch raw & unix.S_IFMT {
	case 0:
		return permissions
	case unix.S_IFREG:
		return "S_IFREG|" + permissions
	case unix.S_IFDIR:
		return "S_IFDIR|" + permissions
	case unix.S_IFLNK:
		return "S_IFLNK|" + permissions
	case unix.S_IFCHR:
		return "S_IFCHR|" + permissions
	case unix.S_IFBLK:
		return "S_IFBLK|" + permissions
	case unix.S_IFIFO:
		return "S_IFIFO|" + permissions
	case unix.S_IFSOCK:
		return "S_IFSOCK|" + permissions
	}
	return "0" + strconv.FormatUint(raw&0o177777, 8)
}

// signed reads a register that holds an int as such: the upper half of an int
// is not defined.
func signed(raw uint64) int64 {
	if raw>>32 == 0 && raw>>31 == 1 {
		return int64(int32(raw))
	}
	return int64(raw)
}

func descriptor(f *Frame, raw uint64) string {
	fd := int(int32(raw))
	text := strconv.Itoa(fd)
	if fd < 0 {
		return text
	}
	if path := f.Memory.Path(fd); path != "" {
		return text + "<" + path + ">"
	}
	return text
}

// Result renders what a call returned, "" where the number says it all.
func (c *Call) Result(f *Frame) string {
	switch c.Ret {
	case "fd":
		return descriptor(f, uint64(f.Return))
	case "mode":
		return fileMode(uint64(f.Return))
	case "fd?": // bpf returns one where it makes something
		if f.Return > 0 {
			return descriptor(f, uint64(f.Return))
		}
	case "ptr":
		return "0x" + strconv.FormatUint(uint64(f.Return), 16)
	}
	return ""
}

// unsigned is a 32-bit number; the highest stands for no end.
func unsigned(raw uint64) string {
	if uint32(raw) == ^uint32(0) {
		return "UINT_MAX"
	}
	return strconv.FormatUint(uint64(uint32(raw)), 10)
}

// Signal is a signal's name.
func Signal(raw uint64) string {
	if name := unix.SignalName(unix.Signal(raw)); name != "" {
		return name
	}
	return strconv.FormatUint(raw, 10)
}

// memoryOf returns how a kind is rendered whose value lies in memory.
func memoryOf(kind string) func(*Frame, int) string {
	switch kind {
	case "path", "str":
		return quoted
	case "data":
		return data
	case "buf":
		return buffer
	case "out":
		return filled
	case "strings":
		return stringList
	case "count":
		return countList
	case "fds":
		return pair
	case "ids":
		return ids
	case "wstatus":
		return waitStatus
	}
	return structOf(kind)
}

// structOf returns how a kind is rendered that is a structure, or whose meaning
// depends on another argument.
func structOf(kind string) func(*Frame, int) string {
	switch kind {
	case "clone3":
		return clone3
	case "mount_attr":
		return mountAttr
	case "capdata":
		return capData
	case "capdataout":
		return filledBy(capData)
	case "msghdr":
		return message
	case "msghdrout":
		return filledBy(message)
	case "prctl2":
		return prctl2
	case "prctl3":
		return prctl3
	case "filter":
		return filter
	case "bpfattr":
		return bpfAttr
	case "openhow":
		return openHow
	case "rlimitval":
		return limits
	case "rlimitout":
		return filledBy(limits)
	case "fsvalue":
		return fsValue
	case "fsaux":
		return fsAux
	case "keyctl2":
		return keyctl2
	case "sockaddr":
		return address
	case "so":
		return socketOption
	case "protocol":
		return protocol
	}
	return fileOf(kind)
}

// fileOf returns how a kind is rendered that is about files, sockets and time.
func fileOf(kind string) func(*Frame, int) string {
	switch kind {
	case "stat":
		return fileStatus
	case "statfs":
		return fileSystem
	case "fcntlarg":
		return fcntlArgument
	case "xattr":
		return attribute
	case "pollfds":
		return polled
	case "timespec":
		return timeSpan
	case "caphdr":
		return capHeader
	case "sockout":
		return filledAddress
	case "lenout":
		return pointed
	case "opt":
		return option
	case "optout":
		return filledOption
	case "ptid":
		return handled
	}
	return nil
}

func quoted(f *Frame, i int) string {
	if f.Args[i] == 0 {
		return "NULL"
	}
	s, ok := f.Memory.String(f.Args[i])
	if !ok && s == "" {
		return number("hex", f, f.Args[i])
	}
	return strconv.Quote(s)
}

// data is a mount's options: a string by custom, which nobody needs to give.
func data(f *Frame, i int) string {
	if s := quoted(f, i); s != `"\x00"` {
		return s
	}
	return `""`
}

// limit is how many bytes of a buffer are shown.
const limit = 64

func buffer(f *Frame, i int) string { return bytesAt(f, f.Args[i], f.Args[i+1]) }

func filled(f *Frame, i int) string {
	if !f.Returned {
		return number("ptr", f, f.Args[i])
	}
	return bytesAt(f, f.Args[i], uint64(f.Return))
}

// filledBy renders with decode what the kernel has filled in, and only the
// address before it has.
func filledBy(decode func(*Frame, int) string) func(*Frame, int) string {
	return func(f *Frame, i int) string {
		if !f.Returned {
			return number("ptr", f, f.Args[i])
		}
		return decode(f, i)
	}
}

func bytesAt(f *Frame, addr, length uint64) string {
	buf := make([]byte, min(length, limit))
	n := f.Memory.Read(addr, buf)
	if n < len(buf) {
		return number("ptr", f, addr)
	}
	text := strconv.Quote(string(buf[:n]))
	if length > limit {
		text += "…"
	}
	return text
}

// words reads n 64-bit words, fewer where memory ends.
func words(f *Frame, addr uint64, n int) []uint64 {
	buf := make([]byte, 8*n)
	got := f.Memory.Read(addr, buf) / 8
	out := make([]uint64, got)
	for i := range out {
		out[i] = binary.NativeEndian.Uint64(buf[8*i:])
	}
	return out
}

// halves reads n 32-bit words, fewer where memory ends.
func halves(f *Frame, addr uint64, n int) []uint32 {
	buf := make([]byte, 4*n)
	got := f.Memory.Read(addr, buf) / 4
	out := make([]uint32, got)
	for i := range out {
		out[i] = binary.NativeEndian.Uint32(buf[4*i:])
	}
	return out
}

func stringList(f *Frame, i int) string {
	var list []string
	for addr := f.Args[i]; len(list) < 32; addr += 8 {
		p := words(f, addr, 1)
		if len(p) == 0 || p[0] == 0 {
			return "[" + strings.Join(list, ", ") + "]"
		}
		s, _ := f.Memory.String(p[0])
		list = append(list, strconv.Quote(s))
	}
	return "[" + strings.Join(list, ", ") + ", …]"
}

// countList counts an environment: its values are nobody's business.
func countList(f *Frame, i int) string {
	n := 0
	for addr := f.Args[i]; n < 4096; addr += 8 {
		p := words(f, addr, 1)
		if len(p) == 0 || p[0] == 0 {
			break
		}
		n++
	}
	return fmt.Sprintf("/* %d variables */", n)
}

func pair(f *Frame, i int) string {
	fds := halves(f, f.Args[i], 2)
	if !f.Returned || len(fds) < 2 {
		return number("ptr", f, f.Args[i])
	}
	return fmt.Sprintf("[%d, %d]", fds[0], fds[1])
}

func ids(f *Frame, i int) string {
	list := []string{}
	for _, id := range halves(f, f.Args[i], int(min(f.Args[0], 32))) {
		list = append(list, strconv.Itoa(int(id)))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

func waitStatus(f *Frame, i int) string {
	status := halves(f, f.Args[i], 1)
	if !f.Returned || f.Return == 0 || len(status) == 0 {
		return number("ptr", f, f.Args[i])
	}
	switch s := unix.WaitStatus(status[0]); {
	case s.Exited():
		return fmt.Sprintf("exited %d", s.ExitStatus())
	case s.Signaled():
		return "killed by " + Signal(uint64(s.Signal()))
	case s.Stopped():
		return "stopped by " + Signal(uint64(s.StopSignal()))
	}
	return fmt.Sprintf("0x%x", status[0])
}
