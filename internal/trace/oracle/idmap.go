package oracle

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/trace/state"
)

// file is the path of the file that is written to.
func (c *Call) file() string { return c.Frame.Memory.Path(c.fd("fd")) }

// mapped is the process whose id map is written, and uid or gid; 0 for another file.
func (c *Call) mapped() (pid int, kind string) {
	dir, name := path.Split(c.file())
	kind, ok := strings.CutSuffix(name, "_map")
	if !ok || !strings.HasPrefix(dir, "/proc/") || kind != "uid" && kind != "gid" {
		return 0, ""
	}
	return c.pidOf(dir), kind
}

// pidOf is the process of a directory in /proc; its pid counts in the PID namespace of
// that /proc, which is mostly ours or the thread's.
func (c *Call) pidOf(dir string) int {
	pid, _ := strconv.Atoi(strings.Split(strings.TrimPrefix(dir, "/proc/"), "/")[0])
	return pid
}

// ranges are the lines of a map that is written.
func (c *Call) ranges() procfs.IDMaps {
	m, err := procfs.ParseIDMap(strings.NewReader(c.data()))
	if err != nil {
		return nil
	}
	return m
}

// mapWritten tells a map that has been written before: that can be done once.
func mapWritten(c *Call) string {
	if _, kind := c.mapped(); kind == "" {
		return ""
	}
	at := c.proc("fd/" + strconv.Itoa(c.fd("fd")))
	if now := read(at); now != "" {
		return c.file() + " has been written already, which can be done once: " +
			strings.Join(strings.Fields(now), " ")
	}
	return ""
}

// setgroupsFirst tells a gid map that wants setgroups(2) to be denied before.
func setgroupsFirst(c *Call) string {
	pid, kind := c.mapped()
	if kind != "gid" || c.has("CapEff", "CAP_SETGID") && c.above(pid) {
		return ""
	}
	if strings.TrimSpace(string(state.Read(pid, "setgroups"))) == "allow" {
		return "without CAP_SETGID in the parent user namespace, \"deny\" must be written to " +
			state.Proc(pid, "setgroups") + " first"
	}
	return ""
}

// above tells that the writer is not itself in the user namespace of a process.
func (c *Call) above(pid int) bool {
	return c.namespace("user") != (&Call{TID: pid}).namespace("user")
}

// notOwnID tells a map that only one with a capability may write: without, it may map
// one id, the writer's own.
func notOwnID(c *Call) string {
	pid, kind := c.mapped()
	if kind == "" {
		return ""
	}
	capability := "CAP_SET" + strings.ToUpper(kind)
	if c.above(pid) && c.has("CapEff", capability) {
		return ""
	}
	m, own := c.ranges(), uint32(c.number(strings.ToUpper(kind[:1])+kind[1:], 1))
	need := ": for more it needs " + capability + " in the parent user namespace"
	switch {
	case len(m) > 1:
		return fmt.Sprintf("it may write one line, and wrote %d%s", len(m), need)
	case len(m) == 1 && m[0].Count != 1:
		return fmt.Sprintf("it may map one id, and maps %d%s", m[0].Count, need)
	case len(m) == 1 && m[0].Outside != own && !c.foreign():
		return fmt.Sprintf("it may map its own %s, %d, and maps %d%s", kind, own, m[0].Outside, need)
	}
	return ""
}

// notMappedAbove tells an id that the parent user namespace does not have.
func notMappedAbove(c *Call) string {
	pid, kind := c.mapped()
	if kind == "" || !c.above(pid) {
		return ""
	}
	for _, e := range c.ranges() {
		for _, id := range []uint32{e.Outside, e.Outside + e.Count - 1} {
			if c.unmapped(kind, id) {
				return fmt.Sprintf("%s %d has no meaning in the parent user namespace, %s",
					kind, id, c.namespace("user"))
			}
		}
	}
	return ""
}

// badMap tells a map that is not one (user_namespaces(7)).
func badMap(c *Call) string {
	if _, kind := c.mapped(); kind == "" {
		return ""
	}
	const most = 340
	m := c.ranges()
	switch {
	case c.index("offset") >= 0 && c.arg("offset") != 0:
		return "the map must be written from the file's beginning"
	case m == nil:
		return "it is not lines of three numbers: " + strconv.Quote(c.data())
	case len(m) > most:
		return fmt.Sprintf("the map has %d lines, and may have %d", len(m), most)
	}
	for i, a := range m {
		if a.Count == 0 {
			return fmt.Sprintf("line %d maps no ids: its length is 0", i+1)
		}
		if a.Inside+a.Count < a.Inside || a.Outside+a.Count < a.Outside {
			return fmt.Sprintf("line %d goes beyond the highest id", i+1)
		}
		for j, b := range m[:i] {
			if a.Inside < b.Inside+b.Count && b.Inside < a.Inside+a.Count ||
				a.Outside < b.Outside+b.Count && b.Outside < a.Outside+a.Count {
				return fmt.Sprintf("lines %d and %d overlap", j+1, i+1)
			}
		}
	}
	return ""
}

// setgroupsFile says why /proc/PID/setgroups cannot be written.
func setgroupsFile(c *Call) string {
	if path.Base(c.file()) != "setgroups" || !strings.HasPrefix(c.file(), "/proc/") {
		return ""
	}
	pid := c.pidOf(c.file())
	value := strings.TrimSpace(c.data())
	now := strings.TrimSpace(string(state.Read(pid, "setgroups")))
	switch {
	case value != "allow" && value != "deny":
		return "it is neither allow nor deny: " + strconv.Quote(value)
	case value == "allow" && now == "deny":
		return "it is deny already, which cannot be taken back"
	case strings.TrimSpace(string(state.Read(pid, "gid_map"))) != "":
		return "the gid_map has been written: before that it could be denied"
	}
	return ""
}

// settings are files of /proc that take a number from a range.
func settings(c *Call) string {
	if !strings.HasPrefix(c.file(), "/proc/") {
		return ""
	}
	value := strings.TrimSpace(c.data())
	switch path.Base(c.file()) {
	case "oom_score_adj":
		n, err := strconv.Atoi(value)
		if err != nil || n < -1000 || n > 1000 {
			return strconv.Quote(value) + " is not a number from -1000 to 1000"
		}
		if c.Errno == unix.EACCES {
			return "below what it was, it needs CAP_SYS_RESOURCE in the initial user namespace"
		}
	case "timens_offsets":
		if c.Errno == unix.EACCES {
			return "a process is in the time namespace already: its clocks cannot be set any more"
		}
	}
	return ""
}
