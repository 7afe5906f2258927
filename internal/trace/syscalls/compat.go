package syscalls

import (
	"slices"
	"strconv"
	"strings"
)

// x32Bit marks the numbers of x32's calls.
const x32Bit = 0x40000000

// FindIn is Find for a call of a program of the architecture arch (AUDIT_ARCH_* in
// linux/audit.h), which need not be the machine's own: a 64-bit kernel runs 32-bit
// programs too. Their calls have other numbers, and structures of another layout:
// arguments that point to one are not read.
func FindIn(arch uint32, number int) *Call {
	switch {
	case arch == Arch && number&x32Bit != 0 && X32:
		return compat("x32", nil, number&^x32Bit)
	case arch == Arch:
		return Find(number)
	case arch == compatArch:
		return compat("compat", compatNames[:], number)
	}
	return compat("arch_"+strconv.FormatUint(uint64(arch), 16), nil, number)
}

// compat is the row of a call of another architecture, by the name that it has on this
// one. What reads memory in ways that depend on the layout is left out of it.
func compat(prefix string, names []string, number int) *Call {
	name := prefix + "_" + strconv.Itoa(number)
	if number >= 0 && number < len(names) && names[number] != "" {
		name = names[number]
	}
	i := index(ownName(name))
	if i < 0 {
		return raw(name)
	}
	c := table[i]
	switch name {
	case "umount":
		c.Params = "target:path"
	case "clone":
		c.Params = "flags:clone stack:ptr parent_tid:ptr tls:ptr child_tid:ptr"
	}
	c.Changes &^= Netlink | Answer
	var params []string
	for _, p := range c.List() {
		if layout(p.Kind) {
			p.Kind = "ptr"
		}
		params = append(params, p.Name+":"+p.Kind)
	}
	c.Params, c.Compat = strings.Join(params, " "), true
	return &c
}

// ownName is what the 64-bit architectures call a call whose 32-bit variant has
// another name, as its first, with 16-bit ids or file offsets of 32 bits, is not
// used any more.
func ownName(name string) string {
	switch name {
	case "umount":
		return "umount2"
	case "mmap2":
		return "mmap"
	}
	for _, suffix := range []string{"32", "64"} {
		if own, ok := strings.CutSuffix(name, suffix); ok && index(name) < 0 {
			return own
		}
	}
	return name
}

// layout tells a kind whose value lies in memory, in a form that depends on how wide
// a pointer is.
func layout(kind string) bool {
	plain := []string{"path", "str", "data", "buf", "out", "fds", "wstatus", "clone3", "mount_attr"}
	if slices.Contains(plain, kind) {
		return false
	}
	return memoryOf(kind) != nil
}

// index finds a row of the table by its name, -1 for none.
func index(name string) int {
	i, ok := slices.BinarySearchFunc(table[:], name, func(c Call, name string) int {
		return strings.Compare(c.Name, name)
	})
	if !ok {
		return -1
	}
	return i
}

// raw is the row of a call that the table does not have.
func raw(name string) *Call {
	return &Call{Name: name, Params: "a0:hex a1:hex a2:hex a3:hex a4:hex a5:hex"}
}
