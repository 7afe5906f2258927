package doctor

import (
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/elfdep"
)

// rootTrials are those of step 1.
func rootTrials() []trial {
	return []trial{
		{
			id: "chroot", name: "chroot", step: 1, who: anybody, ns: mounts, deed: changeRoot,
			vital: true, loses: "step 1",
		},
		{
			id: "tools", name: "tools for the default root", step: 1, who: oneself, deed: hostTools,
			loses: "the default root file system; --rootfs takes another",
		},
		{
			id: "cache", name: "cache directory", step: 1, who: oneself, deed: cacheHere,
			loses: "root file systems that are kept, and layers on the disk",
		},
	}
}

func changeRoot(p *place) (string, error) {
	root, err := p.newRoot()
	if err != nil {
		return "", err
	}
	if err := unix.Chroot(root); err != nil {
		return "", fmt.Errorf("chroot %s: %w", root, err)
	}
	if err := unix.Access("/true", unix.X_OK); err != nil {
		return "", fmt.Errorf("access /true: %w", err)
	}
	return "", nil
}

// hostTools looks for a shell and what it is linked with.
func hostTools(*place) (string, error) {
	const sh = "/bin/sh"
	if _, err := os.Stat(sh); err != nil {
		return "", fmt.Errorf("rootfs: no %s to make it from: %w", sh, errno(err))
	}
	files, missing, err := elfdep.Closure("/", []string{sh})
	if err != nil {
		return "", fmt.Errorf("rootfs: %w", err)
	}
	if len(missing) > 0 {
		return "", fmt.Errorf("rootfs: %s needs %s: %w", sh, missing[0].Name, unix.ENOENT)
	}
	found := fmt.Sprintf("%s and %d files", sh, len(files))
	if _, err := exec.LookPath("busybox"); err == nil {
		found += "; busybox"
	}
	return found, nil
}

// cacheHere tells where the doctor has found a place.
func cacheHere(*place) (string, error) {
	q, err := newPlace()
	if err != nil {
		return "", err
	}
	defer q.remove()
	if q.err != nil {
		return q.dir, fmt.Errorf("cache: %w", q.err)
	}
	return fileSystem(q.dir), nil
}
