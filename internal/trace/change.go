package trace

import (
	"encoding/binary"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/state"
	"github.com/containerkit/kit/internal/trace/syscalls"
)

// A snapshot is the state that a call may change. Only the pieces that the
// call's row names are read.
type snapshot struct {
	ns     state.Namespaces
	maps   state.IDMaps
	mounts *state.Mounts
	links  state.Links
	status state.Status
	file   state.File
}

// snap reads the pieces of state that th's call may change.
func (t *tracer) snap(th *thread) (s snapshot) {
	c := &th.call
	if c.Changes&syscalls.Namespaces != 0 {
		s.ns, s.maps = state.ReadNamespaces(th.tid), state.ReadIDMaps(th.tid)
	}
	if c.Changes&syscalls.Mounts != 0 {
		s.mounts = state.ReadMounts(th.tid)
	}
	if c.Changes&syscalls.Root != 0 {
		s.links = state.ReadLinks(th.tid)
	}
	if c.Changes&syscalls.Status != 0 {
		s.status = state.ReadStatus(th.tid)
	}
	if c.Changes&(syscalls.File|syscalls.Directory) != 0 {
		s.file = c.file(th.tid)
	}
	return s
}

// file reads the kernel file that a call writes, or the cgroup that it makes.
func (c *call) file(tid int) state.File {
	if c.Changes&syscalls.Directory != 0 {
		path, _ := c.frame.Memory.String(c.frame.Args[len(c.params)-min(2, len(c.params))])
		if !state.Tells(path) {
			return state.File{}
		}
		return state.ReadFile(tid, path+"/cgroup.subtree_control", "")
	}
	path := c.frame.Memory.Path(int(int32(c.frame.Args[0])))
	if !state.Tells(path) {
		return state.File{}
	}
	data := make([]byte, min(c.frame.Args[2], 64))
	n := c.frame.Memory.Read(c.frame.Args[1], data)
	return state.ReadFile(tid, path, string(data[:n]))
}

// changes compares the state with what it was before th's call.
func (t *tracer) changes(th *thread) []Change {
	c := &th.call
	if c.Changes == 0 || c.class == Runtime {
		return nil
	}
	if c.Changes&syscalls.Hostname != 0 {
		return t.renameHost(th)
	}
	after := t.snap(th)
	var list []state.Change
	if c.Changes&syscalls.Namespaces != 0 {
		t.inheritHostname(&c.before.ns, &after.ns)
		list = append(list, c.before.ns.Diff(&after.ns, th.tid)...)
		list = append(list, c.before.maps.Diff(after.maps)...)
	}
	if c.Changes&syscalls.Mounts != 0 {
		list = append(list, c.before.mounts.Diff(after.mounts)...)
	}
	list = append(list, c.before.links.Diff(&after.links, th.tid)...)
	list = append(list, c.before.status.Diff(&after.status, th.tid)...)
	return convert(append(list, c.before.file.Diff(after.file)...))
}

func convert(list []state.Change) []Change {
	var out []Change
	for _, c := range list {
		out = append(out, Change(c))
	}
	return out
}

// A hostname is the two names that a UTS namespace holds (uts_namespaces(7)).
type hostname struct{ host, domain string }

func hostHostname() hostname {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return hostname{}
	}
	return hostname{unix.ByteSliceToString(u.Nodename[:]), unix.ByteSliceToString(u.Domainname[:])}
}

// inheritHostname notes that a new UTS namespace begins with the names of the
// old one. We cannot ask it: only its members can.
func (t *tracer) inheritHostname(old, now *state.Namespaces) {
	if _, ok := t.names[now.Of("uts")]; !ok {
		t.names[now.Of("uts")] = t.names[old.Of("uts")]
	}
}

// renameHost tells the name before and after sethostname or setdomainname.
func (t *tracer) renameHost(th *thread) []Change {
	c := &th.call
	uts, _ := os.Readlink(state.Proc(th.tid, "ns/uts"))
	names := t.names[uts]
	buf := make([]byte, min(c.frame.Args[1], 64))
	name := string(buf[:c.frame.Memory.Read(c.frame.Args[0], buf)])
	change := Change{"hostname", names.host, name}
	if c.Name == "setdomainname" {
		change = Change{"domainname", names.domain, name}
		names.domain = name
	} else {
		names.host = name
	}
	t.names[uts] = names
	if change.Before == change.After {
		return nil
	}
	return []Change{change}
}

func nativeUint64(b []byte) uint64 { return binary.NativeEndian.Uint64(b) }

// cgroupVersion tells which cgroup hierarchies the machine has: v1, v2 or hybrid.
func cgroupVersion() string {
	text, _ := os.ReadFile("/proc/self/cgroup")
	v1, v2 := false, false
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "0::") {
			v2 = true
		} else {
			v1 = true
		}
	}
	switch {
	case v1 && v2:
		return "hybrid"
	case v1:
		return "v1"
	}
	return "v2"
}
