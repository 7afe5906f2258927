// Package oracle says why a system call has failed. The manual pages list the causes
// of an errno; the kernel's own files tell which of them holds here. The thread that
// has failed is still stopped: what is read is what the kernel has seen.
package oracle

import (
	"encoding/binary"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/syscalls"
)

// A Call is one that has failed, in a thread that is stopped at its end.
type Call struct {
	*syscalls.Call
	Errno unix.Errno
	TID   int
	Frame *syscalls.Frame

	params []syscalls.Param
	status map[string]string
	mounts []mount
}

// A check is one cause: a sentence in which live facts stand, or "" where it does not
// hold.
type check func(c *Call) string

// A row is what the manual pages say of one errno of some calls.
type row struct {
	calls  string // their names; "*" for all that have no other row
	errno  unix.Errno
	checks []check // in the order in which they are tried
	manual string  // the causes, where none of the checks holds
}

// Why tells the cause, or what may be it; "" where nothing is known beyond the errno.
func (c *Call) Why() string {
	c.params = c.List()
	r, ok := find(c.Name, c.Errno)
	if !ok {
		return c.general()
	}
	for _, check := range r.checks {
		if cause := check(c); cause != "" {
			return cause
		}
	}
	if cause := c.general(); cause != "" {
		return cause
	}
	if strings.Contains(r.manual, ";") {
		return "one of: " + r.manual
	}
	return r.manual
}

// general tries the row that is for all calls.
func (c *Call) general() string {
	r, ok := find("*", c.Errno)
	if !ok {
		return ""
	}
	for _, check := range r.checks {
		if cause := check(c); cause != "" {
			return cause
		}
	}
	return r.manual
}

func find(call string, errno unix.Errno) (*row, bool) {
	for i := range table {
		r := &table[i]
		if r.errno != errno {
			continue
		}
		for name := range strings.FieldsSeq(r.calls) {
			if name == call {
				return r, true
			}
		}
	}
	return nil, false
}

// index finds a parameter by its name, -1 for none.
func (c *Call) index(name string) int {
	for i, p := range c.params {
		if p.Name == name {
			return i
		}
	}
	return -1
}

// arg is the value of a parameter, 0 for one that the call does not have.
func (c *Call) arg(name string) uint64 {
	if i := c.index(name); i >= 0 {
		return c.Frame.Args[i]
	}
	return 0
}

// text is the string that a parameter points to.
func (c *Call) text(name string) string {
	addr := c.arg(name)
	if addr == 0 {
		return ""
	}
	s, _ := c.Frame.Memory.String(addr)
	return s
}

// fd is a parameter that is a descriptor.
func (c *Call) fd(name string) int { return int(int32(c.arg(name))) }

// words reads n 32-bit words from the thread's memory; those that are not there are 0.
func (c *Call) words(addr uint64, n int) []uint32 {
	buf := make([]byte, 4*n)
	c.Frame.Memory.Read(addr, buf)
	out := make([]uint32, n)
	for i := range out {
		out[i] = binary.NativeEndian.Uint32(buf[4*i:])
	}
	return out
}

// data is what a write(2) has been given, as far as it matters.
func (c *Call) data() string {
	buf := make([]byte, min(c.arg("count"), 4096))
	return string(buf[:c.Frame.Memory.Read(c.arg("buf"), buf)])
}
