package syscalls

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// filter renders struct sock_fprog (seccomp(2)).
func filter(f *Frame, i int) string {
	w := words(f, f.Args[i], 1)
	if len(w) == 0 {
		return number("ptr", f, f.Args[i])
	}
	return fmt.Sprintf("{%d instructions}", w[0]&0xffff)
}

// openHow renders struct open_how (openat2(2)), without what is zero.
func openHow(f *Frame, i int) string {
	w := words(f, f.Args[i], 3)
	if len(w) < 3 {
		return number("ptr", f, f.Args[i])
	}
	text := "{flags: " + openFlags(w[0])
	if w[1] != 0 {
		text += ", mode: " + fileMode(w[1])
	}
	if w[2] != 0 {
		text += ", resolve: " + flags(resolveFlags[:], w[2])
	}
	return text + "}"
}

// limits renders struct rlimit64 (prlimit(2)).
func limits(f *Frame, i int) string {
	w := words(f, f.Args[i], 2)
	if len(w) < 2 {
		return number("ptr", f, f.Args[i])
	}
	limit := func(v uint64) string {
		if v == unix.RLIM_INFINITY {
			return "unlimited"
		}
		return strconv.FormatUint(v, 10)
	}
	return "{soft: " + limit(w[0]) + ", hard: " + limit(w[1]) + "}"
}

// fsValue renders the value that fsconfig(2) gives a parameter: by the command, it is
// a string, a path, or nothing.
func fsValue(f *Frame, i int) string {
	switch f.Args[1] {
	case unix.FSCONFIG_SET_STRING, unix.FSCONFIG_SET_PATH, unix.FSCONFIG_SET_PATH_EMPTY:
		return quoted(f, i)
	}
	return number("ptr", f, f.Args[i])
}

// fsAux renders fsconfig's last argument: a descriptor or a length.
func fsAux(f *Frame, i int) string {
	switch f.Args[1] {
	case unix.FSCONFIG_SET_FD:
		return number("fd", f, f.Args[i])
	case unix.FSCONFIG_SET_PATH, unix.FSCONFIG_SET_PATH_EMPTY:
		return number("dirfd", f, f.Args[i])
	}
	return number("int", f, f.Args[i])
}

// keyctl2 renders the argument whose meaning depends on the operation (keyctl(2)).
func keyctl2(f *Frame, i int) string {
	if f.Args[0] == unix.KEYCTL_JOIN_SESSION_KEYRING {
		return quoted(f, i)
	}
	return value(keyrings[:], f.Args[i])
}

// address renders a socket address: for netlink that of the kernel (netlink(7)).
func address(f *Frame, i int) string {
	buf := make([]byte, min(f.Args[i+1], 128))
	buf = buf[:f.Memory.Read(f.Args[i], buf)]
	if len(buf) < 8 {
		return number("ptr", f, f.Args[i])
	}
	family := binary.NativeEndian.Uint16(buf)
	port := binary.BigEndian.Uint16(buf[2:])
	switch {
	case family == unix.AF_NETLINK && len(buf) >= unix.SizeofSockaddrNetlink:
		if pid := binary.NativeEndian.Uint32(buf[4:]); pid != 0 {
			return "{AF_NETLINK, pid: " + strconv.Itoa(int(pid)) + "}"
		}
		return "{AF_NETLINK, pid: 0}"
	case family == unix.AF_INET:
		ip, _ := netip.AddrFromSlice(buf[4:8])
		return "{AF_INET, " + netip.AddrPortFrom(ip, port).String() + "}"
	case family == unix.AF_INET6 && len(buf) >= unix.SizeofSockaddrInet6:
		ip, _ := netip.AddrFromSlice(buf[8:24])
		return "{AF_INET6, " + netip.AddrPortFrom(ip, port).String() + "}"
	case family == unix.AF_UNIX:
		return "{AF_UNIX, " + strconv.Quote(unix.ByteSliceToString(buf[2:])) + "}"
	}
	return "{" + value(domains[:], uint64(family)) + "}"
}

// socketOption renders the name of an option, which depends on the level (socket(7)).
func socketOption(f *Frame, i int) string {
	switch f.Args[i-1] {
	case unix.SOL_SOCKET:
		return value(socketOptions[:], f.Args[i])
	case unix.SOL_NETLINK:
		return value(netlinkOptions[:], f.Args[i])
	}
	return number("int", f, f.Args[i])
}

// protocol renders a socket's, which depends on the domain (socket(2)).
func protocol(f *Frame, i int) string {
	switch f.Args[0] {
	case unix.AF_NETLINK:
		return value(netlinkProtocols[:], f.Args[i])
	case unix.AF_INET, unix.AF_INET6:
		return value(inetProtocols[:], f.Args[i])
	}
	return number("int", f, f.Args[i])
}

// bpfAttr renders union bpf_attr, as far as the command uses it (bpf(2)).
func bpfAttr(f *Frame, i int) string {
	h := halves(f, f.Args[i], 18)
	if len(h) < 5 {
		return number("ptr", f, f.Args[i])
	}
	h = append(h, make([]uint32, 18)...) // what is not there is 0
	switch f.Args[0] {
	case unix.BPF_PROG_LOAD:
		return bpfLoad(f, h)
	case unix.BPF_PROG_ATTACH, unix.BPF_PROG_DETACH:
		return fmt.Sprintf("{target: %s, program: %s, type: %s}", descriptor(f, uint64(h[0])),
			descriptor(f, uint64(h[1])), value(bpfAttachTypes[:], uint64(h[2])))
	case unix.BPF_LINK_CREATE:
		return fmt.Sprintf("{program: %s, target: %s, type: %s}", descriptor(f, uint64(h[0])),
			descriptor(f, uint64(h[1])), value(bpfAttachTypes[:], uint64(h[2])))
	case unix.BPF_PROG_QUERY:
		return fmt.Sprintf("{target: %s, type: %s}", descriptor(f, uint64(h[0])),
			value(bpfAttachTypes[:], uint64(h[1])))
	}
	return number("ptr", f, f.Args[i])
}

// bpfLoad renders the part of union bpf_attr that BPF_PROG_LOAD uses.
func bpfLoad(f *Frame, h []uint32) string {
	const name, attach = 12, 17 // in words: prog_name, expected_attach_type
	parts := []string{
		"type: " + value(bpfProgramTypes[:], uint64(h[0])),
		fmt.Sprintf("%d instructions", h[1]),
	}
	var buf [16]byte
	for i := range 4 {
		binary.NativeEndian.PutUint32(buf[4*i:], h[name+i])
	}
	if s := unix.ByteSliceToString(buf[:]); s != "" {
		parts = append(parts, "name: "+strconv.Quote(path.Base(s)))
	}
	if h[attach] != 0 && f.Args[2] > 4*attach {
		parts = append(parts, "attach: "+value(bpfAttachTypes[:], uint64(h[attach])))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
