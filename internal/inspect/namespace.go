package inspect

import (
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
)

// A Namespace is one that the process is in.
type Namespace struct {
	Kind    string `json:"kind"`    // "mnt"
	Inode   uint64 `json:"inode"`   // its identity; 0 where it is not readable
	Shared  bool   `json:"shared"`  // you are in it too
	Initial bool   `json:"initial"` // the machine's first one (of mnt and net, told since Linux 6.18)

	// The user namespace whose capabilities count for this one: of a user
	// namespace its parent. 0 where that is outside of yours.
	Owner    uint64 `json:"owner"`
	OwnerUID *int   `json:"owner_uid"` // who made the owner; of a user namespace who made it
	Parent   uint64 `json:"parent"`    // of pid and user: the one around it; 0 as for Owner
}

// A NextNamespace is one that the children of the process will be born in.
type NextNamespace struct {
	Kind  string `json:"kind"`  // "pid_for_children", "time_for_children"
	Inode uint64 `json:"inode"` // 0 where it has no process yet
}

func (r *Report) addNamespaces() {
	mine := map[string]uint64{}
	own, err := procfs.Namespaces(0)
	r.note("shared", err)
	for _, ns := range own {
		mine[ns.Kind] = ns.Inode
	}
	list, err := procfs.Namespaces(r.Pid)
	r.note("namespaces", err)
	r.Namespaces = []Namespace{}
	for _, ns := range list {
		r.note("namespaces."+ns.Kind, ns.Err)
		n := Namespace{Kind: ns.Kind, Inode: ns.Inode}
		if ns.Err == nil {
			n.Shared = mine[n.Kind] == n.Inode
			n.Initial = n.Inode == initial(n.Kind)
			r.note("namespaces."+n.Kind+".owner", n.addRelatives(r.Pid))
		}
		r.Namespaces = append(r.Namespaces, n)
	}
	r.addChildren()
}

func (r *Report) addChildren() {
	list, err := procfs.ForChildren(r.Pid)
	r.note("children", err)
	r.Children = []NextNamespace{}
	for _, ns := range list {
		r.note("children."+ns.Kind, ns.Err)
		r.Children = append(r.Children, NextNamespace{ns.Kind, ns.Inode})
	}
}

// initial returns the inode of the machine's first namespace of a kind, which
// the kernel has fixed (linux/nsfs.h, enum init_ns_ino).
func initial(kind string) uint64 {
	const last = 0xEFFFFFFF
	switch kind {
	case "ipc":
		return last
	case "uts":
		return last - 1
	case "user":
		return last - 2
	case "pid":
		return last - 3
	case "cgroup":
		return last - 4
	case "time":
		return last - 5
	case "net":
		return last - 6
	case "mnt":
		return last - 7
	}
	return 0
}

// addRelatives asks the kernel for the namespaces that own this one and are
// around it (ioctl_nsfs(2)). It gives EPERM for those that the caller's own user
// namespace does not contain, and for those that are not: they stay 0.
func (n *Namespace) addRelatives(pid int) error {
	fd, err := unix.Open(procfs.Path(pid, "ns/"+n.Kind), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if n.Kind == "user" {
		n.OwnerUID = ownerUID(fd)
	}
	if n.Kind == "user" || n.Kind == "pid" {
		if parent, err := unix.IoctlRetInt(fd, unix.NS_GET_PARENT); err == nil {
			n.Parent = inode(parent)
			unix.Close(parent)
		}
	}
	owner, err := unix.IoctlRetInt(fd, unix.NS_GET_USERNS)
	if err != nil {
		return nil //nolint:nilerr // the kernel keeps it from us, as said above
	}
	defer unix.Close(owner)
	n.Owner = inode(owner)
	if n.OwnerUID == nil {
		n.OwnerUID = ownerUID(owner)
	}
	return nil
}

func inode(fd int) uint64 {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return 0
	}
	return st.Ino
}

func ownerUID(fd int) *int {
	uid, err := unix.IoctlGetUint32(fd, unix.NS_GET_OWNER_UID)
	if err != nil {
		return nil
	}
	n := int(uid)
	return &n
}
