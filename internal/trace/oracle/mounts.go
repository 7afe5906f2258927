package oracle

import (
	"bytes"
	"slices"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/state"
)

// A mount is a line of proc_pid_mountinfo(5), as the thread sees it.
type mount struct{ *mountinfo.Info }

func (m mount) has(option string) bool {
	return slices.Contains(strings.Split(m.Options, ","), option)
}

func (m mount) superHas(option string) bool {
	return slices.Contains(strings.Split(m.VFSOptions, ","), option)
}

func (m mount) shared() bool { return strings.Contains(m.Optional, "shared:") }

// table are the thread's mounts.
func (c *Call) mountTable() []mount {
	if c.mounts == nil {
		text := state.Read(c.TID, "mountinfo")
		list, err := mountinfo.GetMountsFromReader(bytes.NewReader(text), nil)
		if err != nil {
			return nil
		}
		for _, m := range list {
			c.mounts = append(c.mounts, mount{m})
		}
	}
	return c.mounts
}

func (c *Call) mountByID(id int) (mount, bool) {
	for _, m := range c.mountTable() {
		if m.ID == id {
			return m, true
		}
	}
	return mount{&mountinfo.Info{}}, false
}

// statx looks at a place, without following a link that it may be.
func (p *place) statx(file string) (st unix.Statx_t, ok bool) {
	var dir unix.Stat_t
	if unix.Stat(file, &dir) == nil && dir.Mode&unix.S_IFMT == unix.S_IFDIR {
		file += "/." // links of /proc are followed: thread's root and working directory
	}
	err := unix.Statx(unix.AT_FDCWD, file, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_MNT_ID, &st)
	return st, err == nil
}

// mountOf is the mount in which a place is, or, where there is nothing, its directory.
func (c *Call) mountOf(p *place) (mount, bool) {
	for _, file := range []string{p.at, p.dir} {
		if st, ok := p.statx(file); ok && st.Mask&unix.STATX_MNT_ID != 0 {
			return c.mountByID(int(st.Mnt_id))
		}
	}
	return mount{&mountinfo.Info{}}, false
}

// isMount tells whether a place is a mount point: the root of the mount in which it is.
func (p *place) isMount() bool {
	st, ok := p.statx(p.at)
	return ok && st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}

// below are the mounts that are mounted on others below a mount point.
func (c *Call) below(m mount) []mount {
	var list []mount
	for _, other := range c.mountTable() {
		if other.Parent == m.ID && other.ID != m.ID {
			list = append(list, other)
		}
	}
	return list
}
