package oracle

import (
	"fmt"
	"math/bits"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/state"
)

const propagation = unix.MS_SHARED | unix.MS_PRIVATE | unix.MS_SLAVE | unix.MS_UNBINDABLE

// target is where a mount is to be, or to go from.
func (c *Call) target() *place { return c.look(unix.AT_FDCWD, c.text("target"), true) }

func (c *Call) source() *place { return c.look(unix.AT_FDCWD, c.text("source"), true) }

// fsType is the type of a new file system.
func (c *Call) fsType() string {
	if c.Name == "fsopen" {
		return c.text("fsname")
	}
	if c.flagged(unix.MS_REMOUNT | unix.MS_BIND | unix.MS_MOVE | propagation) {
		return ""
	}
	return c.text("filesystemtype")
}

// flagged tells that mount(2) has one of some flags.
func (c *Call) flagged(flags uint64) bool {
	return c.Name == "mount" && c.arg("mountflags")&flags != 0
}

// unknownType tells a file system that the kernel does not have.
func unknownType(c *Call) string {
	kind, _, _ := strings.Cut(c.fsType(), ".") // fuse.sshfs
	if kind == "" {
		return ""
	}
	for line := range strings.Lines(read("/proc/filesystems") + "\n") {
		if f := strings.Fields(line); len(f) > 0 && f[len(f)-1] == kind {
			return ""
		}
	}
	return "the file system type " + kind + " is not in /proc/filesystems: the kernel does not have it"
}

// inUserNamespace are the types that root of any user namespace may mount
// (FS_USERNS_MOUNT in the kernel).
var inUserNamespace = []string{
	"bpf", "binfmt_misc", "cgroup", "cgroup2", "devpts", "fuse", "mqueue", "overlay", "proc",
	"ramfs", "sysfs", "tmpfs",
}

func notInUserNamespace(c *Call) string {
	kind := c.fsType()
	if kind == "" || !c.foreign() || slices.Contains(inUserNamespace, kind) {
		return ""
	}
	return kind + " may only be mounted in the initial user namespace, and the caller is in " +
		c.namespace("user")
}

// foreignObject tells a file system that shows a namespace which belongs to another
// user namespace (mount_namespaces(7)).
func foreignObject(c *Call) string {
	ns, ok := map[string]string{
		"proc": "pid", "sysfs": "net", "mqueue": "ipc", "cgroup": "cgroup", "cgroup2": "cgroup",
	}[c.fsType()]
	if !ok {
		return ""
	}
	owner, own := state.Owner(c.TID, ns), c.namespace("user")
	if owner == own || owner == "" {
		return ""
	}
	return fmt.Sprintf("%s shows the %s namespace, %s, which belongs to %s; the caller is in %s",
		c.fsType(), ns, c.namespace(ns), owner, own)
}

// revealing tells why a user namespace may not have a /proc or /sys of its own: no mount
// of it can be seen as a whole (mount_too_revealing in the kernel).
func revealing(c *Call) string {
	kind := c.fsType()
	if kind != "proc" && kind != "sysfs" || !c.foreign() {
		return ""
	}
	found := "there is none"
	for _, m := range c.mountTable() {
		if m.FSType != kind {
			continue
		}
		covered := c.covered(m)
		switch {
		case m.Root != "/":
			found = "at " + m.Mountpoint + " is only its " + m.Root
		case len(covered) > 0:
			found = "the one at " + m.Mountpoint + " is covered at " + list(covered, 3)
		case m.has("ro"):
			found = "the one at " + m.Mountpoint + " is read-only"
		default:
			return ""
		}
	}
	return "a user namespace may mount " + kind + " only while another one can be seen as a " +
		"whole: " + found
}

// covered are the mount points that hide something of a mount. An empty directory hides
// nothing, which we cannot see below the cover: those that the kernel makes for it are
// known.
func (c *Call) covered(m mount) []string {
	var points []string
	for _, b := range c.below(m) {
		switch strings.TrimPrefix(b.Mountpoint, strings.TrimSuffix(m.Mountpoint, "/")) {
		case "/sys/fs/binfmt_misc", "/fs/cgroup", "/fs/fuse/connections", "/kernel/config",
			"/kernel/debug", "/kernel/security", "/kernel/tracing", "/fs/pstore", "/fs/bpf",
			"/fs/selinux", "/firmware/efi/efivars", "/fs/nfsd":
		default:
			points = append(points, b.Mountpoint)
		}
	}
	return points
}

// list is the first n of some words.
func list(words []string, n int) string {
	text := strings.Join(words[:min(n, len(words))], ", ")
	if len(words) > n {
		text += fmt.Sprintf(" and %d more", len(words)-n)
	}
	return text
}

// lockedFlags tells which flags a mount must keep, since it came from a mount namespace
// of more privilege (mount_namespaces(7)).
func lockedFlags(c *Call) string {
	if !c.flagged(unix.MS_REMOUNT) || !c.foreign() {
		return ""
	}
	m, ok := c.mountOf(c.target())
	if !ok {
		return ""
	}
	var locked []string
	for _, f := range []struct {
		name string
		flag uint64
	}{
		{"ro", unix.MS_RDONLY},
		{"nosuid", unix.MS_NOSUID},
		{"nodev", unix.MS_NODEV},
		{"noexec", unix.MS_NOEXEC},
	} {
		if m.has(f.name) && !c.flagged(f.flag) {
			locked = append(locked, f.name)
		}
	}
	if len(locked) == 0 && !c.flagged(unix.MS_BIND) {
		return m.FSType + " at " + m.Mountpoint + " was not mounted in this user namespace: only the " +
			"flags of the mount may change, with MS_BIND"
	}
	if len(locked) == 0 {
		return ""
	}
	return "the mount at " + m.Mountpoint + " came with " + strings.Join(locked, ", ") + ", which " +
		"are locked in a user namespace: the new flags must have them too"
}

// notMounted tells a target that is no mount point where one is needed.
func notMounted(c *Call) string {
	p := c.target()
	needed := c.Name == "umount2" || c.flagged(unix.MS_REMOUNT|propagation)
	if needed && p.err == 0 && !p.isMount() {
		return p.path + " is not a mount point"
	}
	return ""
}

// twoPropagations tells flags that contradict each other.
func twoPropagations(c *Call) string {
	flags := c.arg("mountflags")
	switch {
	case !c.flagged(propagation):
	case bits.OnesCount64(flags&propagation) > 1:
		return "there is more than one of MS_SHARED, MS_PRIVATE, MS_SLAVE and MS_UNBINDABLE"
	case flags&^(propagation|unix.MS_REC|unix.MS_SILENT) != 0:
		return "a change of the propagation takes no other flags than MS_REC and MS_SILENT"
	}
	return ""
}

// badSource tells what may not be bound or moved.
func badSource(c *Call) string {
	if !c.flagged(unix.MS_BIND|unix.MS_MOVE) || c.flagged(unix.MS_REMOUNT) {
		return ""
	}
	p := c.source()
	m, ok := c.mountOf(p)
	if !ok || p.err != 0 {
		return ""
	}
	if c.flagged(unix.MS_BIND) {
		if strings.Contains(m.Optional, "unbindable") {
			return "the mount at " + m.Mountpoint + " is unbindable"
		}
		if points := c.covering(m, p); len(points) > 0 && !c.flagged(unix.MS_REC) && c.foreign() {
			return "without MS_REC it would reveal what is below " + list(points, 3) +
				", which came from a mount namespace of more privilege"
		}
		return ""
	}
	parent, _ := c.mountByID(m.Parent)
	switch {
	case !p.isMount():
		return p.path + " is not a mount point, and so cannot be moved"
	case m.Mountpoint == "/":
		return "/ cannot be moved"
	case parent.shared():
		return "the parent mount of " + p.path + ", at " + parent.Mountpoint + ", is shared"
	}
	return ""
}

// covering are the mount points at or below a place.
func (c *Call) covering(m mount, p *place) []string {
	var points []string
	for _, b := range c.below(m) {
		if p.path == "/" || strings.HasPrefix(b.Mountpoint, p.path+"/") {
			points = append(points, b.Mountpoint)
		}
	}
	return points
}

// intoItself tells a mount that is to be moved below itself.
func intoItself(c *Call) string {
	if c.flagged(unix.MS_MOVE) && c.target().within(c.source()) {
		return c.target().path + " is below " + c.source().path + ", which is to be moved there"
	}
	return ""
}

// noDevice tells a source that must be a block device, and is none.
func noDevice(c *Call) string {
	if p := c.source(); p.err == 0 && !p.is(unix.S_IFBLK) {
		return p.path + " is " + p.kind() + ", and " + c.fsType() + " wants a block device"
	}
	return ""
}

// sourceMissing tells a file system whose source is not there.
func sourceMissing(c *Call) string {
	if c.fsType() == "" || strings.Contains(read("/proc/filesystems"), "nodev\t"+c.fsType()) {
		return ""
	}
	if p := c.source(); p.err == unix.ENOENT {
		return "there is no " + p.path + p.way() + ", from which to mount " + c.fsType()
	}
	return ""
}

// fileOnDirectory tells a bind mount whose ends are of different kinds.
func fileOnDirectory(c *Call) string {
	if !c.flagged(unix.MS_BIND | unix.MS_MOVE) {
		return ""
	}
	from, to := c.source(), c.target()
	if from.err != 0 || to.err != 0 || from.is(unix.S_IFDIR) == to.is(unix.S_IFDIR) {
		return ""
	}
	return from.path + " is " + from.kind() + ", but " + to.path + " is " + to.kind()
}

// mountedAlready tells the same file system at the same place.
func mountedAlready(c *Call) string {
	m, ok := c.mountOf(c.target())
	if ok && c.fsType() == m.FSType && c.target().isMount() && m.Source == c.text("source") {
		return m.Source + " (" + m.FSType + ") is mounted at " + m.Mountpoint + " already"
	}
	return ""
}

// tooManyMounts tells that a mount namespace has all the mounts that it may have.
func tooManyMounts(c *Call) string {
	if most := sysctl("fs/mount-max"); most != "" && fmt.Sprint(len(c.mountTable())) >= most &&
		len(fmt.Sprint(len(c.mountTable()))) >= len(most) {
		return "the mount namespace has " + plural(len(c.mountTable()), "mount") +
			", and may have " + most + " (fs.mount-max)"
	}
	return ""
}

// nodevSource tells a block device that lies where devices do not count.
func nodevSource(c *Call) string {
	p := c.source()
	if m, ok := c.mountOf(p); ok && p.is(unix.S_IFBLK) && m.has("nodev") {
		return p.path + " is in the mount at " + m.Mountpoint + ", which is nodev"
	}
	return ""
}

// busyMount tells what keeps a mount from being unmounted.
func busyMount(c *Call) string {
	m, ok := c.mountOf(c.target())
	if !ok || !c.target().isMount() {
		return ""
	}
	if below := c.below(m); len(below) > 0 {
		var points []string
		for _, b := range below {
			points = append(points, b.Mountpoint)
		}
		return "other mounts are on it: " + list(points, 3)
	}
	if users := c.users(m); len(users) > 0 {
		return "it is in use by " + list(users, 3)
	}
	return ""
}

// users are the processes that we can see with something of a mount open.
func (c *Call) users(m mount) []string {
	var users []string
	entries, _ := os.ReadDir("/proc")
	device := unix.Mkdev(uint32(m.Major), uint32(m.Minor))
	for _, e := range entries {
		if e.Name()[0] < '0' || e.Name()[0] > '9' {
			continue
		}
		dir := "/proc/" + e.Name() + "/"
		links := []string{"cwd", "root", "exe"}
		fds, _ := os.ReadDir(dir + "fd")
		for _, fd := range fds {
			links = append(links, "fd/"+fd.Name())
		}
		for _, link := range links {
			var st unix.Stat_t
			if unix.Stat(dir+link, &st) == nil && st.Dev == device {
				users = append(users, fmt.Sprintf("process %s (%s, its %s)",
					e.Name(), read(dir+"comm"), path.Dir(link+"/")))
				break
			}
		}
	}
	return users
}

// lockedMount tells a mount that came into a user namespace as one of several, which
// only together may go (mount_namespaces(7)).
func lockedMount(c *Call) string {
	m, ok := c.mountOf(c.target())
	if !ok || !c.foreign() || !c.target().isMount() {
		return ""
	}
	return "the mount at " + m.Mountpoint + " came from a mount namespace of more privilege, and is " +
		"locked together with those around it"
}
