//go:build vm

package vm

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/vm/guest"
)

// disk has kit's state and cache where they outlive the machine, as /run does not.
const disk = `
export KIT_STATE=/mnt/state KIT_CACHE=/mnt/cache HOME=/root
mount /dev/vdb /mnt
`

// runs starts a container of each step from 3 on, and cuts the power while they run.
const runs = disk + `
kit rootfs make >/mnt/root
mkdir /mnt/upper
kit step 3 --trace=off --name three --memory 64m -- sleep 1000 &
kit step 4 --trace=off --name four --upper /mnt/upper -- sh -c 'echo kept >/note; sleep 1000' &
kit step 5 --trace=off --name five --publish 8080:80 -- sleep 1000 &
kit step 6 --trace=off --name six -- sleep 1000 &
until [ "$(kit ps | grep -c sleep)" = 4 ] && [ -e /mnt/upper/note ]; do sleep 1; done
ls /mnt/cache/containers
sync
echo b >/proc/sysrq-trigger
sleep 100
`

// goesOn is the next day: nobody of the day before is there, their names and ports are
// free, and kit clean finds what they have left.
const goesOn = disk + `
: >/mnt/state/empty.json
head -c 100 /mnt/state/three.json >/mnt/state/half.json
[ "$(kit ps | grep -c stale)" = 6 ] # with the two that cannot be read
for n in 3 4 5 6; do
	name=$(echo three four five six | cut -d ' ' -f $((n - 2)))
	kit step $n --trace=off --name $name $([ $n != 4 ] || echo --upper /mnt/upper) \
		$([ $n != 5 ] || echo --publish 8080:80) -- cat /proc/self/cgroup >/dev/null
done
cat /mnt/upper/note
kit clean
kit clean
find /mnt/state /mnt/cache/containers -mindepth 1
[ -z "$(find /mnt/state /mnt/cache/containers -mindepth 1)" ]
[ -z "$(find /sys/fs/cgroup -name 'kit*')" ]
[ -z "$(ip link | grep kit)" ]
[ -z "$(nft list tables)" ]
`

// TestPowerCut: what was written when the power failed is no obstacle on the next day.
func TestPowerCut(t *testing.T) {
	top := os.Getenv("KIT_VM_AMD64")
	if top == "" {
		ktest.Missing(t, "KIT_VM_AMD64 is not set: see .ci/kernel")
	}
	ktest.RequireTool(t, qemu("amd64"), "mke2fs", "go")
	t.Setenv("GOARCH", "amd64")
	kernel, modules, err := FindKernel(top)
	require.NoError(t, err)
	root, kit := ktest.HostRootfs(t), ktest.Build(t, "github.com/containerkit/kit/cmd/kit")
	command(t, "cp", "--remove-destination", kit, filepath.Join(root, "bin/kit"))
	m := Machine{
		Arch: "amd64", Kernel: kernel, Modules: modules, Init: kit, Memory: 1024, CPUs: 2,
		Root: filepath.Join(t.TempDir(), "root"), Disk: filepath.Join(t.TempDir(), "disk"),
		Guest: guest.Config{Dir: "/", Cgroup: "v2"},
	}
	require.NoError(t, Image(m.Root, root, 1024))
	command(t, "mke2fs", "-q", "-F", "-t", "ext4", m.Disk, "1G")
	run := func(script string) (exit int, err error) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		m.Guest.Command = []string{"/bin/sh", "-exc", script}
		return m.Run(ctx, nil, io.Writer(os.Stdout))
	}
	_, err = run(runs)
	require.ErrorIs(t, err, ErrNoExit)
	exit, err := run(goesOn)
	require.NoError(t, err)
	require.Zero(t, exit)
}
