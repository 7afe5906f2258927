package ptrace

import (
	"bytes"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const pageSize = 4096

// Read copies from the memory of tid at addr into buf and returns how many
// bytes there were (process_vm_readv(2)).
func Read(tid int, addr uint64, buf []byte) int {
	if len(buf) == 0 || addr == 0 {
		return 0
	}
	local := [1]unix.Iovec{{Base: &buf[0]}}
	local[0].SetLen(len(buf))
	remote := [1]unix.RemoteIovec{{Base: uintptr(addr), Len: len(buf)}}
	n, _, errno := syscall.RawSyscall6(unix.SYS_PROCESS_VM_READV, uintptr(tid),
		uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
	if errno == 0 {
		return int(n)
	}
	if errno == unix.EFAULT {
		return 0
	}
	return peek(tid, addr, buf)
}

// peek reads word by word, where process_vm_readv is not allowed.
func peek(tid int, addr uint64, buf []byte) int {
	var word [8]byte
	for n := 0; n < len(buf); n += len(word) {
		err := fetch(unix.PTRACE_PEEKDATA, tid, uintptr(addr)+uintptr(n), unsafe.Pointer(&word))
		if err != nil {
			return n
		}
		copy(buf[n:], word[:])
	}
	return len(buf)
}

// String reads a string that ends in 0, or its first limit bytes. It reads no
// further than it must: the next page may not be there.
func String(tid int, addr uint64, limit int) (s string, ok bool) {
	var page [pageSize]byte
	var out []byte
	for len(out) < limit {
		n := min(limit-len(out), pageSize-int(addr%pageSize), 256)
		n = Read(tid, addr, page[:n])
		if n == 0 {
			return string(out), false
		}
		if i := bytes.IndexByte(page[:n], 0); i >= 0 {
			return string(append(out, page[:i]...)), true
		}
		out, addr = append(out, page[:n]...), addr+uint64(n)
	}
	return string(out), true
}
