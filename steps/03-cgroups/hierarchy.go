package cgroups

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// A tree is one hierarchy of cgroups: that of v2, or one of v1's, which has
// controllers of its own. On a hybrid machine each controller is in one of them.
type tree struct {
	v2          bool
	controllers []string // v2: what can be enabled in parent
	top         string   // where the tree is mounted
	own         string   // the directory of the cgroup that we are in
	parent      string   // the directory in which the container's cgroup is made
	delegated   string   // v2: the directory down from which we may enable controllers
}

// A membership is a line of /proc/self/cgroup: the cgroup that we are in, in one
// of the trees.
type membership struct {
	controllers []string // none for v2
	path        string
}

// memberships reads them, without v1 trees that have a name and no controller.
func memberships() (list []membership, err error) {
	// One line a tree, as "4:memory:/system.slice"; v2's is "0::/system.slice".
	text, err := read("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) != 3 || strings.HasPrefix(parts[1], "name=") {
			continue
		}
		m := membership{path: parts[2]}
		if parts[1] != "" {
			m.controllers = strings.Split(parts[1], ",")
		}
		list = append(list, m)
	}
	return list, nil
}

// find returns the trees that can be seen here, with the cgroups that we are in.
func find() (trees []tree, err error) {
	in, err := memberships()
	if err != nil {
		return nil, err
	}
	// Where a tree is mounted is up to whoever mounted it: the mounts tell.
	mounts, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	if err != nil {
		return nil, fmt.Errorf("read /proc/self/mountinfo: %w", err)
	}
	for _, m := range in {
		at, err := m.locate(mounts)
		if err != nil {
			return nil, err
		}
		if at == nil {
			continue
		}
		rest, ok := below(m.path, at.Root)
		if !ok {
			continue // our own cgroup is in another part of the tree
		}
		top := at.Mountpoint
		trees = append(trees, tree{
			v2: len(m.controllers) == 0, controllers: m.controllers, top: top, own: top + rest,
		})
	}
	return trees, nil
}

// locate finds the mount that shows the tree of the membership, nil if there is none.
func (m membership) locate(mounts []*mountinfo.Info) (*mountinfo.Info, error) {
	for _, mount := range mounts {
		if ok, err := m.isAt(mount); ok || err != nil {
			return mount, err
		}
	}
	return nil, nil
}

// isAt tells that a mount shows the tree of the membership.
func (m membership) isAt(mount *mountinfo.Info) (bool, error) {
	v2 := len(m.controllers) == 0
	if v2 != (mount.FSType == "cgroup2") {
		return false, nil
	}
	options := strings.Split(mount.VFSOptions, ",")
	for _, name := range m.controllers {
		if !slices.Contains(options, name) {
			return false, nil
		}
	}
	var found unix.Statfs_t
	// Every kind of file system has its number: another one may be mounted over it.
	err := unix.Statfs(mount.Mountpoint, &found)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("statfs %s: %w", mount.Mountpoint, err)
	}
	if v2 {
		return found.Type == unix.CGROUP2_SUPER_MAGIC, nil
	}
	return found.Type == unix.CGROUP_SUPER_MAGIC, nil
}

// isV2 tells that a directory is a cgroup of v2.
func isV2(dir string) bool {
	var found unix.Statfs_t
	// A v1 one has another number.
	return unix.Statfs(dir, &found) == nil && found.Type == unix.CGROUP2_SUPER_MAGIC
}

// below returns what comes after root in a path: "" or "/...".
func below(path, root string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, strings.TrimSuffix(root, "/"))
	if rest == "/" {
		rest = ""
	}
	return rest, ok && (rest == "" || rest[0] == '/')
}
