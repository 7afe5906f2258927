package procfs

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// A CgroupMount is a hierarchy of cgroups that can be seen from here.
type CgroupMount struct {
	Dir         string   // where it is mounted
	Root        string   // the cgroup that shows up at Dir
	V2          bool     // cgroup v2
	Controllers []string // as in Cgroup; v1 only
}

// CgroupMounts returns the hierarchies that are mounted, from mountinfo, except
// those that another mount hides: the magic number of the file system at Dir
// tells (statfs(2)).
func CgroupMounts() ([]CgroupMount, error) {
	mounts, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	if err != nil {
		return nil, err
	}
	var list []CgroupMount
	for _, m := range mounts {
		v2 := m.FSType == "cgroup2"
		if !visible(m.Mountpoint, v2) {
			continue
		}
		c := CgroupMount{Dir: m.Mountpoint, Root: m.Root, V2: v2}
		if !v2 {
			c.Controllers = controllers(m.VFSOptions)
		}
		list = append(list, c)
	}
	return list, nil
}

// visible tells that the file system at dir is a cgroup one.
func visible(dir string, v2 bool) bool {
	magic := int64(unix.CGROUP_SUPER_MAGIC)
	if v2 {
		magic = unix.CGROUP2_SUPER_MAGIC
	}
	var fs unix.Statfs_t
	return unix.Statfs(dir, &fs) == nil && fs.Type == magic
}

// controllers takes the controllers out of the options of a v1 mount, which are
// these and a few words about the hierarchy itself.
func controllers(options string) []string {
	var list []string
	for o := range strings.SplitSeq(options, ",") {
		switch {
		case strings.HasPrefix(o, "name="):
			list = append(list, o)
		case slices.Contains([]string{
			"rw", "ro", "xattr", "clone_children", "noprefix", "none",
			"all", "cpuset_v2_mode", "favordynmods", "nofavordynmods",
		}, o):
		case strings.HasPrefix(o, "release_agent="):
		default:
			list = append(list, o)
		}
	}
	return list
}

// CgroupDir returns the directory of a cgroup of this hierarchy, and not ok where
// the mount shows another part of the hierarchy.
func (m CgroupMount) CgroupDir(c Cgroup) (dir string, ok bool) {
	rest, ok := strings.CutPrefix(c.Path, strings.TrimSuffix(m.Root, "/"))
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return filepath.Join(m.Dir, rest), true
}

// Holds tells that the mount is of the hierarchy that c is a line of.
func (m CgroupMount) Holds(c Cgroup) bool {
	return m.V2 == c.V2() && slices.Equal(m.Controllers, c.Controllers)
}

// CgroupMode tells which cgroups limit anything here: "v2"; "v1"; or "hybrid",
// where v2 is mounted too but v1 has controllers. It goes by what is mounted,
// and where nothing is, as in a container, by the reader's own cgroups.
func CgroupMode() (string, error) {
	mounts, err := CgroupMounts()
	if err != nil {
		return "", err
	}
	if len(mounts) > 0 {
		return mode(mounts), nil
	}
	own, err := Cgroups(0)
	if err != nil {
		return "", err
	}
	for _, c := range own {
		mounts = append(mounts, CgroupMount{V2: c.V2(), Controllers: c.Controllers})
	}
	return mode(mounts), nil
}

func mode(mounts []CgroupMount) string {
	var v1, v2 bool
	for _, m := range mounts {
		v2 = v2 || m.V2
		v1 = v1 || slices.ContainsFunc(m.Controllers, func(c string) bool {
			return !strings.HasPrefix(c, "name=")
		})
	}
	switch {
	case v1 && v2:
		return "hybrid"
	case v2:
		return "v2"
	}
	return "v1"
}
