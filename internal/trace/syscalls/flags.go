package syscalls

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A flag is a value and its name.
type flag struct {
	value uint64
	name  string
}

// flags renders a set of bits: 0 as "0", bits without a name in hexadecimal.
func flags(set []flag, raw uint64) string {
	if raw == 0 {
		return zero(set)
	}
	var list []string
	for _, f := range set {
		if f.value != 0 && raw&f.value == f.value {
			list = append(list, f.name)
			raw &^= f.value
		}
	}
	if raw != 0 {
		list = append(list, "0x"+strconv.FormatUint(raw, 16))
	}
	return strings.Join(list, "|")
}

// zero is the name that no bits have.
func zero(set []flag) string {
	for _, f := range set {
		if f.value == 0 {
			return f.name
		}
	}
	return "0"
}

// value renders one of several values.
func value(list []flag, raw uint64) string {
	for _, f := range list {
		if f.value == raw {
			return f.name
		}
	}
	return strconv.FormatInt(signed(raw), 10)
}

// openFlags renders the flags of open(2): the access mode is a number in two bits.
func openFlags(raw uint64) string {
	mode := [...]string{"O_RDONLY", "O_WRONLY", "O_RDWR", "3"}[raw&3]
	raw &^= 3
	if raw == 0 {
		return mode
	}
	rest := flags(openBits[:], raw)
	if mode == "O_RDONLY" && raw&unix.O_PATH != 0 {
		return rest
	}
	return mode + "|" + rest
}

// socketType renders a socket's type with its two flags (socket(2)).
func socketType(raw uint64) string {
	text := value(socketTypes[:], raw&0xf)
	if bits := raw &^ 0xf; bits != 0 {
		text += "|" + flags(socketBits[:], bits)
	}
	return text
}

// flagsOf returns the bits of a kind of parameter.
func flagsOf(kind string) []flag {
	switch kind {
	case "mount":
		return mountFlags[:]
	case "umount":
		return umountFlags[:]
	case "ns":
		return cloneFlags[:]
	case "at":
		return atFlags[:]
	case "ataccess":
		return atAccessFlags[:]
	case "unlink":
		return unlinkFlags[:]
	case "opentree":
		return openTreeFlags[:]
	case "movemount":
		return moveMountFlags[:]
	case "mountattr":
		return mountAttrFlags[:]
	case "prot":
		return protFlags[:]
	case "mmap":
		return mmapFlags[:]
	case "msg":
		return msgFlags[:]
	case "memfd":
		return memfdFlags[:]
	case "access":
		return accessFlags[:]
	case "wait":
		return waitFlags[:]
	case "closerange":
		return closeRangeFlags[:]
	}
	return fewFlagsOf(kind)
}

// fewFlagsOf returns those of kinds that one call has.
func fewFlagsOf(kind string) []flag {
	switch kind {
	case "seccompflags":
		return seccompFlags[:]
	case "fsopen":
		return fsopenFlags[:]
	case "fsmount":
		return fsmountFlags[:]
	case "rename":
		return renameFlags[:]
	case "flock":
		return flockFlags[:]
	case "xattrflags":
		return xattrFlags[:]
	case "statx":
		return statxFields[:]
	case "landlock":
		return landlockFlags[:]
	}
	return nil
}

// valuesOf returns the values of a kind of parameter that is one of several.
func valuesOf(kind string) []flag {
	switch kind {
	case "prctl":
		return prctlOps[:]
	case "ptrace":
		return ptraceOps[:]
	case "futex":
		return futexOps[:]
	case "fcntl":
		return fcntlOps[:]
	case "ioctl":
		return ioctlOps[:]
	case "epoll":
		return epollOps[:]
	case "madvise":
		return madviseOps[:]
	case "sigmask":
		return sigmaskOps[:]
	case "seccomp":
		return seccompOps[:]
	case "fsconfig":
		return fsconfigOps[:]
	case "domain":
		return domains[:]
	case "whence":
		return whences[:]
	case "shutdown":
		return shutdowns[:]
	case "idtype":
		return idTypes[:]
	case "rlimit":
		return rlimits[:]
	case "bpf":
		return bpfCommands[:]
	case "keyctl":
		return keyctlOps[:]
	case "sol":
		return socketLevels[:]
	}
	return fewValuesOf(kind)
}

// fewValuesOf returns those of kinds that one call has.
func fewValuesOf(kind string) []flag {
	switch kind {
	case "reboot":
		return rebootCommands[:]
	case "landlockrule":
		return landlockRules[:]
	}
	return nil
}
