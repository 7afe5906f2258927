package oracle

import (
	"strings"

	"golang.org/x/sys/unix"
)

// pivot are the two places of pivot_root(2), and the root directory.
func (c *Call) pivot() (now, put, root *place) {
	look := func(name string) *place { return c.look(unix.AT_FDCWD, name, true) }
	return look(c.text("new_root")), look(c.text("put_old")), look("/")
}

// within tells that a place is another, or below it.
func (p *place) within(other *place) bool {
	slash := func(path string) string { return strings.TrimSuffix(path, "/") + "/" }
	return strings.HasPrefix(slash(p.path), slash(other.path))
}

// onRootMount says which of the two is in the mount that is the root already.
func onRootMount(c *Call) string {
	now, put, root := c.pivot()
	r, _ := c.mountOf(root)
	if m, ok := c.mountOf(now); ok && m.ID == r.ID {
		if !now.isMount() {
			return now.path + " is not a mount point: it is in the mount that is the root already"
		}
		return now.path + " is the current root"
	}
	if m, ok := c.mountOf(put); ok && m.ID == r.ID {
		return put.path + " is in the mount that is the root now; put_old must be at or below new_root"
	}
	return ""
}

// pivotRule says which of pivot_root's conditions does not hold.
func pivotRule(c *Call) string {
	now, put, root := c.pivot()
	r, _ := c.mountOf(root)
	m, ok := c.mountOf(now)
	if !ok || now.err != 0 || put.err != 0 {
		return ""
	}
	parent, _ := c.mountByID(m.Parent)
	switch p, _ := c.mountOf(put); {
	case r.FSType == "rootfs":
		return "/ is the rootfs (initial ramfs), which cannot be pivoted away"
	case !now.isMount():
		return now.path + " is not a mount point"
	case m.shared():
		return "the mount at " + now.path + " is shared"
	case parent.shared():
		return "the parent mount of " + now.path + ", at " + parent.Mountpoint + ", is shared"
	case !root.isMount():
		return "the current root directory is not a mount point: the caller has been chrooted"
	case p.shared() && put.isMount():
		return "the mount at " + put.path + " (put_old) is shared"
	case !put.within(now):
		return put.path + " (put_old) is not at or underneath " + now.path + " (new_root)"
	case r.shared():
		return "the mount at / is shared"
	}
	return ""
}
