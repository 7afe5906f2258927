package inspect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/containerkit/kit/internal/procfs"
)

func (r *Report) writeUsers(p *page) {
	uids, gids := r.UIDMap, r.GIDMap
	if !r.inOwnUserNS() {
		uids, gids = nil, nil
	}
	p.row("uid", ids(r.UIDs, uids))
	p.row("gid", ids(r.GIDs, gids))
	groups := "none"
	if len(r.Groups) > 0 {
		groups = strings.Trim(fmt.Sprint(r.Groups), "[]")
	}
	p.row("groups", groups)
	p.row("uid map", r.value("uid_map", idMap(r.UIDMap)))
	p.row("gid map", r.value("gid_map", idMap(r.GIDMap)))
}

// inOwnUserNS tells that its ids are others inside than those that you see.
func (r *Report) inOwnUserNS() bool {
	return slices.ContainsFunc(r.Namespaces, func(n Namespace) bool {
		return n.Kind == "user" && n.Inode != 0 && !n.Shared
	})
}

// ids is one number where the four are the same.
func ids(four [4]int, m procfs.IDMaps) string {
	name := func(id int) string {
		text := strconv.Itoa(id)
		if n, ok := m.Inside(uint32(id)); ok {
			text += fmt.Sprintf(" (%d inside)", n)
		}
		return text
	}
	if four[0] == four[1] && four[0] == four[2] && four[0] == four[3] {
		return name(four[0])
	}
	return fmt.Sprintf("real %s, effective %s, saved %s, file system %s",
		name(four[0]), name(four[1]), name(four[2]), name(four[3]))
}

func idMap(m procfs.IDMaps) string {
	if len(m) == 1 && m[0] == (procfs.IDMapEntry{Count: 1<<32 - 1}) {
		return "every id is itself"
	}
	if len(m) == 0 {
		return "empty: nobody exists inside"
	}
	return m.String() + ", as inside→outside (how many)"
}

func (r *Report) writePowers(p *page) {
	c := r.Capabilities
	p.row("effective", c.Effective.String())
	p.row("permitted", c.Permitted.String())
	p.row("inheritable", c.Inheritable.String())
	p.row("bounding", c.Bounding.String())
	p.row("ambient", c.Ambient.String())
	p.row("no_new_privs", map[bool]string{true: "yes", false: "no"}[r.NoNewPrivs])
	seccomp := r.Seccomp.Mode
	if r.Seccomp.Filters > 0 {
		seccomp += fmt.Sprintf(", %d stacked", r.Seccomp.Filters)
	}
	p.row("seccomp", seccomp)
	p.row("LSM label", r.value("label", orElse(r.Label, "none")))
}
