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
		i := slices.IndexFunc(mounts, m.isAt)
		if i < 0 {
			continue
		}
		rest, ok := below(m.path, mounts[i].Root)
		if !ok {
			continue // our own cgroup is in another part of the tree
		}
		top := mounts[i].Mountpoint
		if ok, err := m.isSeen(top); err != nil {
			return nil, err
		} else if !ok {
			continue
		}
		trees = append(trees, tree{
			v2: len(m.controllers) == 0, controllers: m.controllers, top: top, own: top + rest,
		})
	}
	return trees, nil
}

// isAt tells that a mount shows the tree of the membership.
func (m membership) isAt(mount *mountinfo.Info) bool {
	v2 := len(m.controllers) == 0
	if v2 != (mount.FSType == "cgroup2") {
		return false
	}
	options := strings.Split(mount.VFSOptions, ",")
	for _, name := range m.controllers {
		if !slices.Contains(options, name) {
			return false
		}
	}
	return true
}

// isSeen tells that the tree which is mounted at top is what one finds there.
func (m membership) isSeen(top string) (bool, error) {
	var found unix.Statfs_t
	// Every kind of file system has its number: another one may be mounted over it.
	err := unix.Statfs(top, &found)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("statfs %s: %w", top, err)
	}
	if len(m.controllers) == 0 {
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
