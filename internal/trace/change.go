package trace

import (
	"encoding/binary"
	"os"
	"strconv"
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
	dir    state.Directory
	nets   []netState
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
	if c.Changes&syscalls.File != 0 {
		s.file = c.file(th.tid)
	}
	if c.Changes&syscalls.Directory != 0 {
		s.dir = c.directory(th.tid)
	}
	if c.changesNet() {
		s.nets = t.netsOf(th)
	}
	return s
}

// file reads the kernel file that a call writes.
func (c *call) file(tid int) state.File {
	fd := int(int32(c.frame.Args[0]))
	path := c.frame.Memory.Path(fd)
	if !state.Tells(tid, fd, path) {
		return state.File{}
	}
	data := make([]byte, min(c.frame.Args[2], 64))
	n := c.frame.Memory.Read(c.frame.Args[1], data)
	return state.ReadFile(tid, fd, path, string(data[:n]))
}

// directory reads the cgroup that a call makes or removes.
func (c *call) directory(tid int) state.Directory {
	if c.Name == "unlinkat" && c.frame.Args[2]&unix.AT_REMOVEDIR == 0 {
		return state.Directory{}
	}
	i := 0
	base := "cwd"
	if c.params[0].Kind == "dirfd" {
		i = 1
		if fd := int(int32(c.frame.Args[0])); fd != unix.AT_FDCWD {
			base = "fd/" + strconv.Itoa(fd)
		}
	}
	name, _ := c.frame.Memory.String(c.frame.Args[i])
	if strings.HasPrefix(name, "/") {
		base = "root"
	}
	return state.ReadDirectory(state.Proc(tid, base), name)
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
		t.inheritHostname(&c.before.ns, &after.ns, c.Name != "setns")
		list = append(list, c.before.ns.Diff(&after.ns, th.tid)...)
		list = append(list, c.before.maps.Diff(after.maps)...)
	}
	if c.Changes&syscalls.Mounts != 0 {
		list = append(list, c.before.mounts.Diff(after.mounts)...)
	}
	list = append(list, c.before.links.Diff(&after.links, th.tid)...)
	list = append(list, c.before.status.Diff(&after.status, th.tid)...)
	list = append(list, c.before.dir.Diff(&after.dir)...)
	list = append(list, netChanges(th.tid, c.before.nets, after.nets)...)
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
// old one. We cannot ask it: only its members can. One that has just been made may
// have the number of one that is gone.
func (t *tracer) inheritHostname(old, now *state.Namespaces, made bool) {
	was, is := old.Of("uts"), now.Of("uts")
	if _, ok := t.names[is]; !ok || made && was != is {
		t.names[is] = t.names[was]
	}
}

// renameHost tells the name before and after sethostname or setdomainname.
func (t *tracer) renameHost(th *thread) []Change {
	c := &th.call
	uts, _ := os.Readlink(state.Proc(th.tid, "ns/uts"))
	names := t.names[uts]
	buf := make([]byte, min(c.frame.Args[1], 64))
	name := string(buf[:c.frame.Memory.Read(c.frame.Args[0], buf)])
	change := Change{What: "hostname", Before: names.host, After: name}
	if c.Name == "setdomainname" {
		change = Change{What: "domainname", Before: names.domain, After: name}
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
