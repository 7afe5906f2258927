package oracle

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// idMapped are the file systems that can be mounted with mapped ids (FS_ALLOW_IDMAP in
// the kernel), with the kernel from which on.
var idMapped = map[string][2]int{
	"ext4": {5, 12}, "ext3": {5, 12}, "ext2": {5, 12}, "vfat": {5, 12}, "xfs": {5, 12},
	"btrfs": {5, 15}, "ntfs3": {5, 15}, "f2fs": {5, 18}, "erofs": {5, 19},
	"tmpfs": {6, 3}, "hugetlbfs": {6, 9}, "squashfs": {6, 2}, "ceph": {6, 7}, "fuse": {6, 12},
	"fuseblk": {6, 12}, "virtiofs": {6, 12},
}

// attributes is struct mount_attr (mount_setattr(2)): set, clear, propagation, user
// namespace.
func (c *Call) attributes() (set uint64, userns int) {
	w := c.words(c.arg("attr"), 8)
	return uint64(w[0]) | uint64(w[1])<<32, int(int64(uint64(w[6]) | uint64(w[7])<<32))
}

// noIDMapping tells why a mount cannot have mapped ids.
func noIDMapping(c *Call) string {
	set, userns := c.attributes()
	if set&unix.MOUNT_ATTR_IDMAP == 0 {
		return ""
	}
	if link := c.Frame.Memory.Path(userns); link == initialUser {
		return "the ids cannot be mapped as in the initial user namespace"
	}
	p := c.places()[0]
	m, ok := c.mountOf(p)
	if ok && p.isMount() && m.Mountpoint != "" {
		return "the mount at " + m.Mountpoint + " is in the tree already: only a detached one " +
			"(open_tree with OPEN_TREE_CLONE) can get mapped ids"
	}
	kind := fsName(p.at)
	if since, ok := idMapped[kind]; kind != "" && (!ok || old(since[0], since[1])) {
		text := kind + " cannot be mounted with mapped ids in Linux " + release()
		if ok {
			text += ": it can from " + strconv.Itoa(since[0]) + "." + strconv.Itoa(since[1]) + " on"
		}
		return text
	}
	return ""
}

// magics are the numbers of file systems (statfs(2)).
var magics = map[uint32]string{
	unix.EXT4_SUPER_MAGIC: "ext4", unix.XFS_SUPER_MAGIC: "xfs", unix.BTRFS_SUPER_MAGIC: "btrfs",
	unix.TMPFS_MAGIC: "tmpfs", unix.OVERLAYFS_SUPER_MAGIC: "overlay", unix.PROC_SUPER_MAGIC: "proc",
	unix.SYSFS_MAGIC: "sysfs", unix.NFS_SUPER_MAGIC: "nfs", unix.SQUASHFS_MAGIC: "squashfs",
	unix.FUSE_SUPER_MAGIC: "fuse", unix.F2FS_SUPER_MAGIC: "f2fs", unix.RAMFS_MAGIC: "ramfs",
	unix.CGROUP2_SUPER_MAGIC: "cgroup2", unix.CGROUP_SUPER_MAGIC: "cgroup",
}

// fsName is the type of the file system in which a file is, as far as we know its number.
func fsName(file string) string {
	var fs unix.Statfs_t
	if unix.Statfs(file, &fs) != nil {
		return ""
	}
	return magics[uint32(fs.Type)]
}

// notAttached tells a place that is no mount.
func notAttached(c *Call) string {
	if p := c.places()[0]; p.err == 0 && !p.isMount() {
		return p.path + " is not a mount point"
	}
	return ""
}

// moveRule tells what may not be moved.
func moveRule(c *Call) string {
	list := c.places()
	if len(list) != 2 {
		return ""
	}
	from, to := list[0], list[1]
	m, _ := c.mountOf(from)
	parent, _ := c.mountByID(m.Parent)
	switch {
	case from.err != 0 || to.err != 0:
		return ""
	case !from.isMount():
		return from.path + " is not a mount point"
	case parent.shared():
		return "the parent mount of " + from.path + ", at " + parent.Mountpoint + ", is shared"
	}
	return ""
}

// since is the kernel from which on there is a call, for those that are newer than the
// oldest kernels in use.
var since = map[string]string{
	"open_tree": "5.2", "move_mount": "5.2", "fsopen": "5.2", "fsconfig": "5.2", "fsmount": "5.2",
	"fspick": "5.2", "pidfd_send_signal": "5.1", "pidfd_open": "5.3", "clone3": "5.3",
	"openat2": "5.6", "pidfd_getfd": "5.6", "faccessat2": "5.8", "close_range": "5.9",
	"mount_setattr": "5.12", "seccomp": "3.17", "memfd_create": "3.17", "bpf": "3.18",
	"execveat": "3.19",
}

// tooOld tells a call that the kernel does not have.
func tooOld(c *Call) string {
	text := "Linux " + release() + " does not have it"
	if version := since[c.Name]; version != "" {
		text = "it is there from Linux " + version + " on; this is " + release()
	}
	if c.line("Seccomp") == "2" {
		text += ", with a seccomp filter that may answer in its place"
	}
	return text
}

// unreachable tells a file whose owner has no id in the thread's user namespace.
func unreachable(c *Call) string {
	list := c.places()
	if i := c.index("fd"); i >= 0 && c.Name == "fchown" {
		p := &place{at: c.proc("fd/" + strconv.Itoa(c.fd("fd"))), path: c.file()}
		p.set(unix.Stat(p.at, &p.stat))
		list = append(list, p)
	}
	for _, p := range list {
		if p.err == 0 && !c.owns(&p.stat) {
			return "the owner of " + p.path + ", " + strconv.Itoa(int(p.stat.Uid)) + ":" +
				strconv.Itoa(int(p.stat.Gid)) + ", has no id in " + c.namespace("user")
		}
	}
	return ""
}
