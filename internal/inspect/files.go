package inspect

import (
	"errors"
	"os"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
)

// A RootMount is the mount whose root is the "/" of a process.
type RootMount struct {
	ID     int    `json:"id"`     // as in mountinfo
	Type   string `json:"type"`   // of the file system: "ext4"
	Source string `json:"source"` // of the file system: "/dev/vda1"
	Root   string `json:"root"`   // the directory in that file system
	Shared bool   `json:"shared"` // mounts made below it show up in its peers (mount_namespaces(7))
}

func (r *Report) addFiles() {
	r.Root, r.Cwd, r.Exe = r.link("root"), r.link("cwd"), r.link("exe")
	var err error
	r.RootMount, err = rootMount(r.Pid)
	r.note("root_mount", err)
	r.Label, err = label(r.Pid)
	r.note("label", err)
}

// rootMount finds the topmost mount at the "/" of a process. There is none
// where "/" is any directory of a mount, as chroot(2) leaves it.
func rootMount(pid int) (*RootMount, error) {
	f, err := os.Open(procfs.Path(pid, "mountinfo"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	mounts, err := mountinfo.GetMountsFromReader(f, func(m *mountinfo.Info) (skip, stop bool) {
		return m.Mountpoint != "/", false
	})
	if err != nil || len(mounts) == 0 {
		return nil, err
	}
	m := mounts[len(mounts)-1]
	return &RootMount{
		ID: m.ID, Type: m.FSType, Source: m.Source, Root: m.Root,
		Shared: strings.Contains(m.Optional, "shared:"),
	}, nil
}

// label is what the security module calls the process; the kernel has the file
// without any module too, and then gives EINVAL.
func label(pid int) (string, error) {
	text, err := os.ReadFile(procfs.Path(pid, "attr/current"))
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
		return "", nil
	}
	return strings.TrimRight(string(text), "\n\x00"), err
}
