package scene

import (
	"fmt"
	"os"
	"slices"

	"github.com/moby/sys/mountinfo"

	"github.com/containerkit/kit/internal/procfs"
)

// mounts adds those of a process's mount namespace, if it is new.
func (t *taker) mounts(p *Process) {
	namespace := p.namespace("mnt")
	if namespace == "" || slices.ContainsFunc(t.Mounts, func(m Mounts) bool {
		return m.Namespace == namespace
	}) {
		return
	}
	list, err := readMounts(p.Pid)
	t.note(fmt.Sprintf("mounts of process %d", p.Pid), err)
	if err == nil {
		t.Mounts = append(t.Mounts, Mounts{namespace, list})
	}
}

func readMounts(pid int) ([]Mount, error) {
	f, err := os.Open(procfs.Path(pid, "mountinfo"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	infos, err := mountinfo.GetMountsFromReader(f, nil)
	if err != nil {
		return nil, err
	}
	list := []Mount{}
	for _, i := range infos {
		m := Mount{
			ID: i.ID, Parent: i.Parent, Device: fmt.Sprintf("%d:%d", i.Major, i.Minor),
			Root: i.Root, Target: i.Mountpoint, Type: i.FSType, Source: i.Source,
			Options: i.Options, Super: i.VFSOptions, Propagation: i.Optional,
		}
		if m.Propagation == "" {
			m.Propagation = "private"
		}
		list = append(list, m)
	}
	return list, nil
}
