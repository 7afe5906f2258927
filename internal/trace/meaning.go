package trace

import (
	"strings"

	"github.com/containerkit/kit/internal/trace/state"
)

// meaning says what an errno means here: it adds live facts to the plain words
// in e.Meaning.
func (t *tracer) meaning(th *thread, e *Event) string {
	if th.call.class == Runtime {
		return e.Meaning
	}
	var fact string
	switch {
	case e.Errno == "EPERM":
		fact = th.call.needs(th.tid)
	case e.Call == "pivot_root":
		fact = th.call.pivotFacts()
	case e.Errno == "EBUSY", e.Errno == "ENOENT":
		fact = th.call.object()
	}
	if fact == "" {
		return e.Meaning
	}
	return e.Meaning + ": " + fact
}

// needs names the capability that the call lacks, and where.
func (c *call) needs(tid int) string {
	capability, over := c.Capability()
	if over == "" {
		return ""
	}
	return lacks(tid, capability, over)
}

// lacks names a capability that a thread lacks, and over the owner of which of its
// namespaces it is needed. It is "" where the thread has it: the kernel has another
// reason then.
func lacks(tid int, capability, over string) string {
	owner := initialUser
	if over != "initial" {
		owner = state.Owner(tid, over)
	}
	status := state.ReadStatus(tid)
	if owner == state.Owner(tid, "user") && status.Has(capability) {
		return ""
	}
	switch {
	case over == "initial":
		return "it needs " + capability + " in the initial user namespace"
	case owner == "":
		return "it needs " + capability
	case over != "user":
		owner += ", the owner of the " + over + " namespace"
	}
	return "it needs " + capability + " in " + owner
}

// initialUser is the first of all user namespaces (PROC_USER_INIT_INO in the kernel).
const initialUser = "user:[4026531837]"

// pivotFacts says which of pivot_root's conditions does not hold.
func (c *call) pivotFacts() string {
	path, _ := c.frame.Memory.String(c.frame.Args[0])
	if c.before.mounts == nil || !strings.HasPrefix(path, "/") {
		return ""
	}
	mount, ok := c.before.mounts.At(path)
	if !ok {
		return path + " is not a mount point"
	}
	if strings.Contains(mount.Propagation, "shared:") {
		return path + " is a shared mount"
	}
	if root, ok := c.before.mounts.At("/"); ok && strings.Contains(root.Propagation, "shared:") {
		return "/ is a shared mount"
	}
	return ""
}

// object is the file that the call was about.
func (c *call) object() string {
	for i, p := range c.params {
		if p.Kind == "path" {
			path, _ := c.frame.Memory.String(c.frame.Args[i])
			return path
		}
	}
	if c.params != nil && c.params[0].Kind == "fd" {
		return c.frame.Memory.Path(int(int32(c.frame.Args[0])))
	}
	return ""
}
