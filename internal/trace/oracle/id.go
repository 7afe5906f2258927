package oracle

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/containerkit/kit/internal/trace/state"
)

// unknownID tells an id that means nothing in the thread's user namespace.
func unknownID(c *Call) string {
	for i, p := range c.params {
		if p.Kind != "id" {
			continue
		}
		kind := "uid"
		if strings.Contains(p.Name, "g") && p.Name != "pgid" {
			kind = "gid"
		}
		if id := uint32(c.Frame.Args[i]); c.unmapped(kind, id) {
			return c.noID(kind, id)
		}
	}
	if i := c.index("list"); i >= 0 && c.Name == "setgroups" {
		for _, id := range c.words(c.Frame.Args[i], int(min(c.arg("size"), 64))) {
			if c.unmapped("gid", id) {
				return c.noID("gid", id)
			}
		}
	}
	return ""
}

func (c *Call) noID(kind string, id uint32) string {
	m := strings.Join(strings.Fields(string(state.Read(c.TID, kind+"_map"))), " ")
	if m == "" {
		m = "empty"
	}
	return fmt.Sprintf("%s %d has no meaning in %s: its %s_map is %s",
		kind, id, c.namespace("user"), kind, m)
}

// groupsDenied tells a user namespace in which nobody may drop a group.
func groupsDenied(c *Call) string {
	if strings.TrimSpace(string(state.Read(c.TID, "setgroups"))) == "deny" {
		return "setgroups is denied in " + c.namespace("user") + " (/proc/PID/setgroups)"
	}
	if strings.TrimSpace(string(state.Read(c.TID, "gid_map"))) == "" {
		return "the gid_map of " + c.namespace("user") + " has not been written yet"
	}
	return ""
}

func tooManyGroups(c *Call) string {
	const most = 65536 // NGROUPS_MAX
	if n := c.arg("size"); n > most {
		return strconv.FormatUint(n, 10) + " groups are more than there can be: 65536"
	}
	return ""
}

// tooManyOfUser tells that a uid has all the processes that it may have.
func tooManyOfUser(c *Call) string {
	return "the new user has as many processes as the limit RLIMIT_NPROC allows: " +
		c.limit("processes")
}
