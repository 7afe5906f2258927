package oracle

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/syscalls"
)

// badSets says which rule of capset(2) is broken.
func badSets(c *Call) string {
	w := c.words(c.arg("datap"), 6)
	join := func(i int) uint64 { return uint64(w[i]) | uint64(w[i+3])<<32 }
	effective, permitted, inheritable := join(0), join(1), join(2)
	names := syscalls.CapabilityList
	switch {
	case int(c.words(c.arg("hdrp"), 2)[1]) != 0 && int(c.words(c.arg("hdrp"), 2)[1]) != c.TID:
		return "a thread can change its own capabilities only"
	case permitted&^c.set("CapPrm") != 0:
		return "the new permitted set has what the old one has not: " + names(permitted&^c.set("CapPrm"))
	case effective&^permitted != 0:
		return "the new effective set has what the new permitted set has not: " +
			names(effective&^permitted)
	case inheritable&^(c.set("CapInh")|c.set("CapBnd")) != 0:
		return "the new inheritable set has what is not in the bounding set: " +
			names(inheritable&^(c.set("CapInh")|c.set("CapBnd")))
	case inheritable&^(c.set("CapInh")|c.set("CapPrm")) != 0 && !c.has("CapEff", "CAP_SETPCAP"):
		return "without CAP_SETPCAP, the inheritable set takes from the permitted one only"
	}
	return ""
}

// mayNotPrctl says which rule of an operation of prctl(2) is broken.
func mayNotPrctl(c *Call) string {
	op, arg := c.arg("op"), int(c.arg("arg2"))
	switch op {
	case unix.PR_CAPBSET_DROP:
		return c.lacks("CAP_SETPCAP", "user")
	case unix.PR_CAP_AMBIENT:
		name := syscalls.Capability(int(c.arg("arg3")))
		switch {
		case arg != unix.PR_CAP_AMBIENT_RAISE:
		case !c.has("CapPrm", name):
			return name + " is not in the permitted set, and so cannot be ambient"
		case !c.has("CapInh", name):
			return name + " is not in the inheritable set, and so cannot be ambient"
		default:
			return "the securebit SECBIT_NO_CAP_AMBIENT_RAISE is set"
		}
	case unix.PR_SET_SECUREBITS:
		if lack := c.lacks("CAP_SETPCAP", "user"); lack != "" {
			return lack
		}
		return "a securebit that is locked would change"
	case unix.PR_SET_MM:
		return c.lacks("CAP_SYS_RESOURCE", "user")
	}
	return ""
}

// badPrctl says what prctl(2) does not know.
func badPrctl(c *Call) string {
	op, arg := c.arg("op"), c.arg("arg2")
	last, _ := strconv.ParseUint(sysctl("kernel/cap_last_cap"), 10, 64)
	capability := arg
	if op == unix.PR_CAP_AMBIENT {
		capability = c.arg("arg3")
	}
	switch op {
	case unix.PR_CAPBSET_DROP, unix.PR_CAPBSET_READ, unix.PR_CAP_AMBIENT:
		if last != 0 && capability > last {
			return fmt.Sprintf("there is no capability %d: the last is %d (kernel.cap_last_cap)",
				capability, last)
		}
	case unix.PR_SET_NO_NEW_PRIVS:
		return "no_new_privs takes 1 and then zeroes: it cannot be taken back"
	}
	return ""
}

// loads tells that prctl(2) was to load a filter.
func (c *Call) loads() bool {
	return c.Name == "seccomp" || c.arg("op") == unix.PR_SET_SECCOMP
}

// noNewPrivs tells a filter whose thread could still gain privileges.
func noNewPrivs(c *Call) string {
	if !c.loads() || c.line("NoNewPrivs") == "1" || c.able("CAP_SYS_ADMIN", "user") {
		return ""
	}
	return "a filter wants no_new_privs to be set (PR_SET_NO_NEW_PRIVS), or CAP_SYS_ADMIN in " +
		c.namespace("user")
}

// badFilter tells a filter that the kernel cannot take.
func badFilter(c *Call) string {
	if !c.loads() {
		return ""
	}
	addr := c.arg("args")
	if c.Name == "prctl" {
		addr = c.arg("arg3")
	}
	switch n := c.words(addr, 1)[0] & 0xffff; {
	case c.Name == "seccomp" && c.arg("operation") == unix.SECCOMP_GET_ACTION_AVAIL:
		return "the kernel does not know the action; it knows " + sysctl("kernel/seccomp/actions_avail")
	case c.Name == "seccomp" && c.arg("operation") > unix.SECCOMP_GET_NOTIF_SIZES:
		return "there is no such operation in Linux " + release()
	case n == 0 || n > unix.BPF_MAXINSNS:
		return fmt.Sprintf("the filter has %d instructions, and may have 1 to %d", n, unix.BPF_MAXINSNS)
	case c.Name == "seccomp" && c.arg("flags")&^uint64(63) != 0:
		return fmt.Sprintf("Linux %s does not know the flags %#x", release(), c.arg("flags")&^uint64(63))
	case c.line("Seccomp") == "1":
		return "the thread is in strict mode, and can load no filter any more"
	}
	return ""
}

// bpfClosed says why bpf(2) is not allowed.
func bpfClosed(c *Call) string {
	if c.able("CAP_SYS_ADMIN", "initial") {
		if limit := c.limit("locked memory"); limit != "unlimited" && old(5, 11) {
			return "the program does not fit into RLIMIT_MEMLOCK, " + limit + " bytes"
		}
		return ""
	}
	lack := c.lacks("CAP_BPF", "initial")
	if closed := sysctl("kernel/unprivileged_bpf_disabled"); lack != "" && closed != "0" {
		lack += " (kernel.unprivileged_bpf_disabled is " + closed + ")"
	}
	return lack
}

// old tells a kernel before a version.
func old(major, minor int) bool {
	var a, b int
	_, err := fmt.Sscanf(release(), "%d.%d", &a, &b)
	return err == nil && (a < major || a == major && b < minor)
}
