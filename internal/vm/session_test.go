//go:build vm

package vm

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/vm/guest"
)

// sessionUnit logs a user in who runs kit's tests, and ends the machine.
const sessionUnit = `
[Unit]
After=systemd-logind.service
[Service]
Type=oneshot
User=kit
PAMName=login
Environment=TERM=dumb KIT_MUST_WORK=1
WorkingDirectory=/tests
ExecStart=/bin/sh -exc '\
	cat /proc/self/cgroup; \
	for step in 1 2 3 4 5 6; do kit step $$step --trace=off -- true; done; \
	kit step 3 --trace=off --memory 64m -- kit lab eat 200m && exit 9 || [ $$? = 137 ]; \
	kit step 6 --trace=off --cpus 0.2 --pids-limit 20 -- cat /proc/self/cgroup; \
	kit doctor; \
	systemd-run --user --scope --quiet -p Delegate=yes \
		/tests/run \
		"Cgroup|Delegated|PidsLimit|Memory|CPU|Devices|Limit|Room|Tree|Scope|Enter|Stop" \
		EnterAtAnyMoment; \
	kit clean'
ExecStopPost=+/bin/sh -c 'printf "\\n` + guest.ExitMark +
	`%%s\\n" $EXIT_STATUS; systemctl poweroff -f'
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=multi-user.target
`

// TestSession: a user who has logged in on a machine with systemd limits containers
// without any preparation.
func TestSession(t *testing.T) {
	ktest.Root(t)
	top, tree := os.Getenv("KIT_VM_AMD64"), os.Getenv("KIT_VM_SYSTEMD")
	if top == "" || tree == "" {
		ktest.Missing(t, "KIT_VM_AMD64 or KIT_VM_SYSTEMD is not set: see .ci/kernel and .ci/systemd")
	}
	ktest.RequireTool(t, qemu("amd64"), "mke2fs", "go")
	t.Setenv("GOARCH", "amd64")
	t.Setenv("KIT_VM_PACKAGES", "steps/03-cgroups internal/cgroup cmd/kit")
	kernel, modules, err := FindKernel(top)
	require.NoError(t, err)
	root := filepath.Join(t.TempDir(), "root")
	kit := ktest.Build(t, "github.com/containerkit/kit/cmd/kit")
	command(t, "cp", "-a", tree, root)
	command(t, "cp", kit, filepath.Join(root, "usr/bin/kit"))
	units := filepath.Join(root, "etc/systemd/system")
	require.NoError(t, os.WriteFile(filepath.Join(units, "kit.service"), []byte(sessionUnit), 0o644))
	require.NoError(t, os.MkdirAll(filepath.Join(units, "multi-user.target.wants"), 0o755))
	require.NoError(t, os.Symlink("../kit.service",
		filepath.Join(units, "multi-user.target.wants/kit.service")))
	m := Machine{
		Arch: "amd64", Kernel: kernel, Modules: modules, Init: kit, Memory: 2048, CPUs: 2,
		Root: suiteImage(t, root, top),
		Append: []string{
			"systemd.show_status=0", "systemd.mask=serial-getty@ttyS0.service",
			"systemd.unified_cgroup_hierarchy=1",
		},
		Guest: guest.Config{Init: []string{"/sbin/init"}},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Minute)
	defer cancel()
	exit, err := m.Run(ctx, nil, os.Stdout)
	require.NoError(t, err)
	require.Zero(t, exit)
}
