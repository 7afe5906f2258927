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
	switch over {
	case "":
		return ""
	case "initial":
		return "it needs " + capability + " in the initial user namespace"
	}
	owner := state.Owner(tid, over)
	if owner == "" {
		return "it needs " + capability
	}
	fact := "it needs " + capability + " in " + owner
	if over != "user" {
		fact += ", the owner of the " + over + " namespace"
	}
	return fact
}

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
