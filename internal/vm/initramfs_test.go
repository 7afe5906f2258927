//go:build vm

package vm

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cavaliergopher/cpio"
	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// bare is the first process of a machine that stays in its initramfs. After a while it does
// what the hints say.
const bare = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
export PATH=/bin HOME=/root
step() {
	echo "step $*"
	chroot . kit step "$@" --trace=off --rootfs /new --name box -- echo hello 2>&1
	echo "exit $?"
}
step 1
step 2
mount --rbind / /mnt
cd /mnt
mount --move . /
step 2
mount -t tmpfs tmpfs sys/fs/cgroup
mkdir sys/fs/cgroup/memory
step 3 --memory 64m
mount -t cgroup2 cgroup2 sys/fs/cgroup
step 3 --memory 64m
step 4
step 5
poweroff -f
`

// said is what they say.
const said = `step 1
hello
exit 0
step 2
kit: namespaces: pivot_root /new: invalid argument
hint: / is the initramfs, which cannot be pivoted away; a bind mount of it can
hint: in a shell: mount --rbind / /mnt; cd /mnt; mount --move . /; exec chroot .
exit 125
step 2
hello
exit 0
step 3 --memory 64m
kit: cgroups: controller memory: in no hierarchy that we may write to: no such device
hint: no hierarchy of cgroups is mounted where it could be seen
hint: as root: mount -t cgroup2 cgroup2 /sys/fs/cgroup
exit 125
step 3 --memory 64m
hello
exit 0
step 4
kit: overlay: mount overlay lowerdir=/new,upperdir=/var/cache/kit/containers/box/upper,` +
	`workdir=/var/cache/kit/containers/box/work: no such device
hint: this kernel has no overlay file system: load it with modprobe overlay, or take a kernel ` +
	`with CONFIG_OVERLAY_FS
exit 125
step 5
kit: netns: link kit0: operation not supported
hint: the kernel may lack a module; as root: modprobe -a bridge
hint: --net none and --net host work without
exit 125
`

// TestInitramfs: a machine without a root file system of its own, without cgroups and without
// modules is told what it lacks, and what helps.
func TestInitramfs(t *testing.T) {
	top := os.Getenv("KIT_VM_AMD64")
	if top == "" {
		ktest.Missing(t, "KIT_VM_AMD64 is not set: see .ci/kernel")
	}
	ktest.RequireTool(t, qemu("amd64"), "go")
	kernel, _, err := FindKernel(top)
	require.NoError(t, err)
	t.Setenv("GOARCH", "amd64")
	initrd, disk := filepath.Join(t.TempDir(), "initrd"), filepath.Join(t.TempDir(), "disk")
	require.NoError(t, os.WriteFile(disk, make([]byte, 1<<20), 0o600)) // unused
	busybox := filepath.Join(top, "bin/busybox")
	require.NoError(t, writeBare(initrd, map[string]string{
		"bin/kit":     ktest.Build(t, "github.com/containerkit/kit/cmd/kit"),
		"bin/busybox": busybox, "new/bin/echo": busybox,
	}))
	m := Machine{Arch: "amd64", Kernel: kernel, Root: disk, Memory: 512, CPUs: 1}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, qemu("amd64"), m.arguments(initrd)...).Output()
	require.NoError(t, err)
	require.Contains(t, strings.ReplaceAll(string(out), "\r", ""), said)
}

// writeBare writes an initramfs with bare as its /init, and files by their names in it.
func writeBare(path string, files map[string]string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := cpio.NewWriter(f)
	for _, dir := range strings.Fields("bin dev proc sys root mnt run tmp new new/bin") {
		header := &cpio.Header{Name: dir, Mode: cpio.TypeDir | 0o755}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
	}
	if err := writeFile(w, "init", []byte(bare)); err != nil {
		return err
	}
	for name, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := writeFile(w, name, data); err != nil {
			return err
		}
	}
	return errors.Join(w.Close(), f.Close())
}
