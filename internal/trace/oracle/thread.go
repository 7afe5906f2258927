package oracle

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/trace/state"
	"github.com/containerkit/kit/internal/trace/syscalls"
)

// initialUser is the first of all user namespaces (PROC_USER_INIT_INO in the kernel).
const initialUser = "user:[4026531837]"

// proc is the path of one of the thread's files in /proc.
func (c *Call) proc(name string) string { return state.Proc(c.TID, name) }

// line is a line of the thread's proc_pid_status(5).
func (c *Call) line(name string) string {
	if c.status == nil {
		c.status = map[string]string{}
		for line := range strings.Lines(string(state.Read(c.TID, "status"))) {
			key, value, _ := strings.Cut(line, ":")
			c.status[key] = strings.Join(strings.Fields(value), " ")
		}
	}
	return c.status[name]
}

// number is a line of status that is a decimal number, the i-th of several.
func (c *Call) number(name string, i int) int {
	f := strings.Fields(c.line(name))
	if i >= len(f) {
		return 0
	}
	n, _ := strconv.Atoi(f[i])
	return n
}

// set is a line of status that is a set of capabilities.
func (c *Call) set(name string) uint64 {
	set, _ := strconv.ParseUint(c.line(name), 16, 64)
	return set
}

// has tells whether a capability is in one of the thread's sets.
func (c *Call) has(set, capability string) bool {
	return slices.Contains(strings.Fields(syscalls.CapabilityList(c.set(set))), capability)
}

// namespace is the thread's of a kind: user:[4026531837].
func (c *Call) namespace(kind string) string {
	link, _ := os.Readlink(c.proc("ns/" + kind))
	return link
}

// foreign tells that the thread is in a user namespace that is not the first one.
func (c *Call) foreign() bool {
	own := c.namespace("user")
	return own != "" && own != initialUser
}

// able tells that the thread has a capability over the owner of its namespace of a
// kind ("initial" for the first user namespace).
func (c *Call) able(capability, over string) bool {
	owner := initialUser
	if over != "initial" {
		owner = state.Owner(c.TID, over)
	}
	return owner == c.namespace("user") && c.has("CapEff", capability)
}

// Lacks names a capability that a thread lacks, and over the owner of which of its
// namespaces it is needed. It is "" where the thread has it: the kernel has another
// reason then.
func Lacks(tid int, capability, over string) string {
	return (&Call{TID: tid}).lacks(capability, over)
}

func (c *Call) lacks(capability, over string) string {
	if over == "" || c.able(capability, over) {
		return ""
	}
	if over == "initial" {
		return "it needs " + capability + " in the initial user namespace"
	}
	owner := state.Owner(c.TID, over)
	switch {
	case owner == "":
		return "it needs " + capability
	case over != "user":
		owner += ", the owner of the " + over + " namespace"
	}
	return "it needs " + capability + " in " + owner
}

// capability is the one that the call's row in the table of system calls names. Some
// calls need it for some of what they do only, and have checks of their own.
func capability(c *Call) string {
	switch c.Name {
	case "clone", "clone3", "unshare", "setns", "prctl", "seccomp":
		return ""
	}
	return c.lacks(c.Capability())
}

// unmapped tells that an id means nothing in the thread's user namespace; what is uid
// or gid.
func (c *Call) unmapped(what string, id uint32) bool {
	m, err := procfs.ParseIDMap(strings.NewReader(string(state.Read(c.TID, what+"_map"))))
	if err != nil || id == ^uint32(0) {
		return false
	}
	_, ok := m.Outside(id)
	return !ok
}

// limit is the soft one of the thread's on a resource (proc_pid_limits(5)), in words
// that stand in that file: "open files", "processes".
func (c *Call) limit(resource string) string {
	for line := range strings.Lines(string(state.Read(c.TID, "limits"))) {
		if rest, ok := strings.CutPrefix(line, "Max "+resource); ok {
			return strings.Fields(rest)[0]
		}
	}
	return ""
}

// read is what a file of the kernel says, "" for none.
func read(path string) string {
	text, _ := os.ReadFile(path)
	return strings.TrimSpace(string(text))
}

// sysctl is a setting under /proc/sys.
func sysctl(name string) string { return read("/proc/sys/" + name) }

// release is that of the kernel.
func release() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// plural is "1 mount", "3 mounts".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "s") {
		what += "e"
	}
	return strconv.Itoa(n) + " " + what + "s"
}
