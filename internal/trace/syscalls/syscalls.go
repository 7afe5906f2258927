// Package syscalls is what the observer knows about system calls: one table
// that gives each its parameters, and tells which piece of kernel state shows
// what it did. Names and flags are those of the man pages.
package syscalls

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

//go:generate go run gen.go

// State is a set of pieces of kernel state.
type State uint

// The pieces that a call may change.
const (
	Namespaces State = 1 << iota // the links in /proc/TID/ns, and the id maps
	Mounts                       // /proc/TID/mountinfo
	Root                         // /proc/TID/root and cwd
	Status                       // the credentials in /proc/TID/status
	Hostname                     // of the UTS namespace
	File                         // what the file written to says when it is read
	Directory                    // a cgroup and its interface files
	Netlink                      // links, addresses, routes and rules
	Answer                       // nothing: it fetches the kernel's answer from a netlink socket
)

// A Call is one row of the table.
type Call struct {
	Name     string
	Params   string // "fd:fd buf:buf count:int"
	Ret      string // kind of the result where it is not a plain number: fd, pid or ptr
	Changes  State
	Relevant bool   // it builds containers: never mere bookkeeping
	Compat   bool   // of a program whose pointers have another width: its structures are not read
	Needs    string // the capability without which it fails, and over which namespace's owner
}

// A Param is one parameter: its name as in the man page, and its kind.
type Param struct{ Name, Kind string }

// Find returns the row of a system call by its number. A call that the table
// does not have gets a row with six raw arguments.
func Find(number int) *Call {
	name := "syscall_" + strconv.Itoa(number)
	if number >= 0 && number < len(names) && names[number] != "" {
		name = names[number]
	}
	if i := index(name); i >= 0 {
		return &table[i]
	}
	return raw(name)
}

// Names are the system calls by number; one that the table of numbers skips is "".
func Names() []string { return names[:] }

// List returns the parameters in order.
func (c *Call) List() []Param {
	var list []Param
	for _, p := range strings.Fields(c.Params) {
		name, kind, _ := strings.Cut(p, ":")
		list = append(list, Param{name, kind})
	}
	return list
}

// Capability returns the capability that the call needs, and the kind of
// namespace over whose owner it is needed: user for the caller's own user
// namespace, initial for the first of all.
func (c *Call) Capability() (capability, over string) {
	capability, over, _ = strings.Cut(c.Needs, " ")
	return capability, over
}

// Errno returns the name of an errno, and what it means in plain words.
func Errno(number int64) (name, meaning string) {
	errno := unix.Errno(number)
	switch name := unix.ErrnoName(errno); {
	case name != "":
		return name, errno.Error()
	case number == 512: // the kernel's own, which only a tracer sees
		return "ERESTARTSYS", "interrupted by a signal, to be restarted"
	case number == 513:
		return "ERESTARTNOINTR", "interrupted by a signal, to be restarted"
	case number == 514:
		return "ERESTARTNOHAND", "interrupted by a signal"
	case number == 516:
		return "ERESTART_RESTARTBLOCK", "interrupted by a signal, to be restarted"
	}
	return "E" + strconv.FormatInt(number, 10), "unknown error"
}
