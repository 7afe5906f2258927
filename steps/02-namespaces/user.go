package namespaces

import (
	"fmt"
	"strconv"
	"syscall"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// remapSize is how many ids a remapped container has: 0 to 65535, as most
// programs expect.
const remapSize = 1 << 16

// remap asks for a user namespace in which root is nobody on the host
// (--userns remap): uid 0 inside is the first of a range of subordinate ids.
func remap(c *container.Container) {
	if c.UserNS != container.UserNSRemap {
		return
	}
	c.Attr.Cloneflags |= unix.CLONE_NEWUSER
	c.Attr.UidMappings = []syscall.SysProcIDMap{{HostID: firstID("/etc/subuid"), Size: remapSize}}
	c.Attr.GidMappings = []syscall.SysProcIDMap{{HostID: firstID("/etc/subgid"), Size: remapSize}}
	c.Attr.GidMappingsEnableSetgroups = true
	c.Attr.Credential = &syscall.Credential{} // uid 0 and gid 0 of the new namespace
}

// firstID returns the beginning of a range of ids that belongs to nobody else:
// root's own in the file (subuid(5)), or one beyond all that are given away.
func firstID(file string) int {
	ranges, err := user.ParseSubIDFile(file)
	if err != nil {
		ranges = nil // no file: nothing is given away
	}
	first := int64(100000)
	for _, r := range ranges {
		if r.Name == "root" && r.Count >= remapSize {
			return int(r.SubID)
		}
		first = max(first, r.SubID+r.Count)
	}
	return int(first)
}

// mapRoot makes a mount of the root directory in which the owners of files are
// mapped as the child's users are (mount_setattr(2), "ID-mapped mounts"). On
// the disk nothing changes: a file of uid 0 is uid 0 inside, though root inside
// is somebody else.
func mapRoot(c *container.Container) error {
	if c.Attr.Cloneflags&unix.CLONE_NEWUSER == 0 {
		return nil
	}
	const flags = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC
	// A copy of the mount, attached nowhere: only such a one can still be mapped.
	root, err := unix.OpenTree(unix.AT_FDCWD, c.Root, flags)
	if err != nil {
		return fmt.Errorf("open_tree %s: %w", c.Root, err)
	}
	// The mapping is that of the child's user namespace.
	ns, err := unix.Open("/proc/"+strconv.Itoa(c.Pid)+"/ns/user", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open user namespace of %d: %w", c.Pid, err)
	}
	// The mount remembers the namespace by itself.
	defer unix.Close(ns)
	attr := unix.MountAttr{
		Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(ns), Propagation: unix.MS_PRIVATE,
	}
	// From now on an owner of 0 on the disk is the child's root. And the copy shares
	// no events with the original, or pivot_root would refuse it.
	if err := unix.MountSetattr(root, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		return fmt.Errorf("mount_setattr %s MOUNT_ATTR_IDMAP: %w", c.Root, err)
	}
	c.Hand(rootMount, root)
	return nil
}
