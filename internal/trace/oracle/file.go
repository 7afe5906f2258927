package oracle

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/state"
)

// missing names the first part of a path that is not there.
func missing(c *Call) string {
	for _, p := range c.places() {
		switch {
		case p.err != unix.ENOENT:
		case p.name == "":
			return "the path is empty"
		case c.gone(p):
			return "the working directory has been removed"
		default:
			return "there is no " + p.path + p.way()
		}
	}
	return ""
}

// gone tells that a place is below a directory that has been removed.
func (c *Call) gone(p *place) bool {
	var st unix.Stat_t
	return !strings.HasPrefix(p.name, "/") && strings.HasPrefix(p.at, c.proc("cwd")) &&
		unix.Stat(c.proc("cwd"), &st) == nil && st.Nlink == 0
}

func notDirectory(c *Call) string {
	for _, p := range c.places() {
		if p.err == unix.ENOTDIR {
			return p.path + " is not a directory" + p.way()
		}
	}
	for _, p := range c.places() {
		if p.err == 0 && !p.is(unix.S_IFDIR) {
			return p.path + " is " + p.kind() + ", not a directory"
		}
	}
	if c.index("dirfd") >= 0 && c.fd("dirfd") != unix.AT_FDCWD {
		return "descriptor " + strconv.Itoa(c.fd("dirfd")) + " is not a directory"
	}
	return ""
}

func tooManyLinks(c *Call) string {
	for _, p := range c.places() {
		switch {
		case p.err == unix.ELOOP:
			return "more than 40 symbolic links on the way to " + p.name + ", the last " + p.link
		case p.is(unix.S_IFLNK):
			return p.path + " is a symbolic link, which O_NOFOLLOW does not follow"
		}
	}
	return ""
}

// may tells whether the permission bits, and the capabilities that overrule them, give
// the thread an access (access(2)): R_OK, W_OK, X_OK.
func (c *Call) may(st *unix.Stat_t, access uint32) bool {
	shift := 0
	switch {
	case int(st.Uid) == c.number("Uid", 3):
		shift = 6
	case int(st.Gid) == c.number("Gid", 3),
		slices.Contains(strings.Fields(c.line("Groups")), strconv.Itoa(int(st.Gid))):
		shift = 3
	}
	if st.Mode>>shift&access == access {
		return true
	}
	if !c.owns(st) {
		return false
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR && access&unix.W_OK == 0 &&
		c.has("CapEff", "CAP_DAC_READ_SEARCH") {
		return true
	}
	if access&unix.X_OK != 0 && st.Mode&unix.S_IFMT != unix.S_IFDIR && st.Mode&0o111 == 0 {
		return false
	}
	return c.has("CapEff", "CAP_DAC_OVERRIDE")
}

// owns tells that the ids of a file have a meaning in the thread's user namespace: only
// then do its capabilities reach the file (capabilities(7)). We see them from outside.
func (c *Call) owns(st *unix.Stat_t) bool {
	return within(c.TID, "uid_map", st.Uid) && within(c.TID, "gid_map", st.Gid)
}

// within tells that an id of ours is mapped in the user namespace of a thread.
func within(tid int, file string, id uint32) bool {
	if own, _ := os.Readlink("/proc/self/ns/user"); own == (&Call{TID: tid}).namespace("user") {
		return true
	}
	for line := range strings.Lines(string(state.Read(tid, file))) {
		var inside, outside, count uint32
		if _, err := fmt.Sscan(line, &inside, &outside, &count); err != nil {
			return false
		}
		if id >= outside && id-outside < count {
			return true
		}
	}
	return false
}

// forbidden says which part of a path the permission bits keep from the caller.
func forbidden(c *Call) string {
	for _, p := range c.places() {
		if p.err == unix.EACCES {
			return p.path + " may not be searched" + p.way() + ": " + c.bits(&p.stat)
		}
	}
	for _, p := range c.places() {
		if cause := c.refused(p); cause != "" {
			return cause
		}
	}
	return ""
}

// refused looks at what the call would do with the file at the end of a path.
func (c *Call) refused(p *place) string {
	var dir unix.Stat_t
	if unix.Stat(p.dir, &dir) != nil {
		return ""
	}
	switch {
	case c.makes() && p.err == unix.ENOENT || c.removes():
		if !c.may(&dir, unix.W_OK) {
			return "the directory " + path.Dir(p.path) + " may not be written to: " + c.bits(&dir)
		}
	case p.err != 0:
	case strings.HasPrefix(c.Name, "exec") && p.is(unix.S_IFREG):
		if p.stat.Mode&0o111 == 0 || !c.may(&p.stat, unix.X_OK) {
			return p.path + " may not be executed: " + c.bits(&p.stat)
		}
	case strings.HasPrefix(c.Name, "open"):
		access := [...]uint32{unix.R_OK, unix.W_OK, unix.R_OK | unix.W_OK, 0}[c.openFlags()&3]
		return c.barred(p, access)
	case strings.Contains(c.Name, "access"):
		return c.barred(p, uint32(c.arg("mode")))
	}
	return ""
}

// barred says that a file may not be accessed in one of some ways (access(2)).
func (c *Call) barred(p *place, access uint32) string {
	if c.may(&p.stat, access) {
		return ""
	}
	var ways []string
	for _, way := range []struct {
		bit  uint32
		word string
	}{{unix.R_OK, "read"}, {unix.W_OK, "written to"}, {unix.X_OK, "executed"}} {
		if access&way.bit != 0 {
			ways = append(ways, way.word)
		}
	}
	return p.path + " may not be " + strings.Join(ways, " and ") + ": " + c.bits(&p.stat)
}

// openFlags are those of the calls that open files.
func (c *Call) openFlags() uint64 {
	if c.Name == "openat2" {
		return uint64(c.words(c.arg("how"), 1)[0])
	}
	return c.arg("flags")
}

// makes tells that the call makes a file.
func (c *Call) makes() bool {
	switch c.Name {
	case "mkdir", "mkdirat", "mknod", "mknodat", "symlink", "symlinkat", "link", "linkat":
		return true
	case "open", "openat", "openat2":
		return c.openFlags()&unix.O_CREAT != 0
	}
	return false
}

func (c *Call) removes() bool {
	switch c.Name {
	case "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2":
		return true
	}
	return false
}

// bits says who a file belongs to and who the caller is.
func (c *Call) bits(st *unix.Stat_t) string {
	text := fmt.Sprintf("mode %04o, owner %d:%d; the caller is %d:%d", st.Mode&0o7777,
		st.Uid, st.Gid, c.number("Uid", 3), c.number("Gid", 3))
	if c.has("CapEff", "CAP_DAC_OVERRIDE") && !c.owns(st) {
		text += ", root of " + c.namespace("user") + ", where these ids have no meaning"
	}
	return text
}

// readOnly names the mount that is.
func readOnly(c *Call) string {
	for _, p := range c.places() {
		if m, ok := c.mountOf(p); ok {
			if m.has("ro") {
				return "the mount at " + m.Mountpoint + " is read-only"
			}
			if m.superHas("ro") {
				return "the file system at " + m.Mountpoint + " (" + m.FSType + ") is read-only"
			}
		}
	}
	return ""
}

// full says of what a file system has run out.
func full(c *Call) string {
	for _, p := range c.places() {
		var fs unix.Statfs_t
		if unix.Statfs(p.dir, &fs) != nil {
			continue
		}
		m, _ := c.mountOf(p)
		where := "the file system at " + m.Mountpoint + " (" + m.FSType + ")"
		switch {
		case fs.Blocks > 0 && fs.Bavail == 0:
			return where + " is full: " + strconv.FormatUint(fs.Blocks*uint64(fs.Bsize)>>10, 10) + " KiB"
		case fs.Files > 0 && fs.Ffree == 0:
			return where + " has no inode left, of " + strconv.FormatUint(fs.Files, 10)
		}
	}
	return ""
}

func there(c *Call) string {
	for _, p := range slices.Backward(c.places()) {
		if p.err == 0 {
			return p.path + " is there already: " + p.kind()
		}
	}
	return ""
}

func isDirectory(c *Call) string {
	for _, p := range c.places() {
		if p.is(unix.S_IFDIR) {
			return p.path + " is a directory"
		}
	}
	return ""
}

func notEmpty(c *Call) string {
	for _, p := range c.places() {
		if entries, err := os.ReadDir(p.at); err == nil && len(entries) > 0 {
			return p.path + " has " + plural(len(entries), "file") + ": " + entries[0].Name()
		}
	}
	return ""
}

func isMountPoint(c *Call) string {
	for _, p := range c.places() {
		if m, ok := c.mountOf(p); ok && p.err == 0 && m.Mountpoint == p.path {
			return p.path + " is a mount point"
		}
	}
	return ""
}

func tooLong(c *Call) string {
	for _, p := range c.places() {
		for part := range strings.SplitSeq(p.name, "/") {
			if len(part) > unix.NAME_MAX {
				return fmt.Sprintf("a part of the path has %d bytes, and may have %d",
					len(part), unix.NAME_MAX)
			}
		}
		if len(p.name) >= unix.PathMax {
			return fmt.Sprintf("the path has more than %d bytes", unix.PathMax-1)
		}
	}
	return ""
}

func differentMounts(c *Call) string {
	list := c.places()
	if len(list) != 2 {
		return ""
	}
	a, _ := c.mountOf(list[0])
	b, ok := c.mountOf(list[1])
	if ok && a.ID != b.ID {
		return "they are in different mounts: " + a.Mountpoint + " and " + b.Mountpoint
	}
	return ""
}

// notOpen tells a descriptor that is none, or not for this.
func notOpen(c *Call) string {
	for i, p := range c.params {
		fd := int(int32(c.Frame.Args[i]))
		if p.Kind != "fd" && p.Kind != "dirfd" || fd == unix.AT_FDCWD {
			continue
		}
		n := strconv.Itoa(fd)
		if _, err := os.Readlink(c.proc("fd/" + n)); err != nil {
			return "descriptor " + n + " is not open"
		}
		flags, _ := strconv.ParseUint(c.fdinfo(fd, "flags"), 8, 64)
		switch {
		case flags&unix.O_PATH != 0:
			return "descriptor " + n + " is open with O_PATH: it stands for a place, not for what is in it"
		case strings.Contains(c.Name, "write") && flags&3 == unix.O_RDONLY:
			return "descriptor " + n + " is open for reading only"
		case strings.Contains(c.Name, "read") && flags&3 == unix.O_WRONLY:
			return "descriptor " + n + " is open for writing only"
		}
	}
	return ""
}

// fdinfo is a line of proc_pid_fdinfo(5).
func (c *Call) fdinfo(fd int, key string) string {
	for line := range strings.Lines(string(state.Read(c.TID, "fdinfo/"+strconv.Itoa(fd)))) {
		if value, ok := strings.CutPrefix(line, key+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func openLimit(c *Call) string {
	entries, _ := os.ReadDir(c.proc("fd"))
	return fmt.Sprintf("it has %s open, and its limit is %s (RLIMIT_NOFILE)",
		plural(len(entries), "descriptor"), c.limit("open files"))
}
