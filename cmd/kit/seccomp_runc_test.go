//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// TestSameAsRunc runs the same commands in a container of runc's that is set up as
// docker does, over the same root file system: what the kernel answers to each
// call, and what it says about the process, must be the same.
func TestSameAsRunc(t *testing.T) {
	ktest.Root(t)
	ktest.RequireTool(t, "runc")
	root := probed(t)
	ktest.Clean(t)
	clean := "rm -f /tmp/fifo /tmp/char /tmp/block"
	script := clean + "; probe; " + clean + `
		grep -hE '^(Cap|NoNewPrivs|Seccomp|Seccomp_filters|Uid|Gid)' /proc/self/status
		for p in /proc/acpi /proc/interrupts /proc/kcore /proc/keys /proc/timer_list /sys/firmware; do
			[ -e $p ] && ls -A $p && cat $p 2>&1; done
		grep -E ' /proc/(bus|fs|irq|sys|sysrq-trigger) ' /proc/self/mounts |
			cut -d ' ' -f 2,4 | cut -d , -f 1`
	for _, privileges := range []bool{true, false} {
		for _, uid := range []uint32{0, 1000} {
			want := runc(t, root, script, func(s *specs.Spec) {
				s.Process.NoNewPrivileges = privileges
				s.Process.User = specs.User{UID: uid, GID: uid}
			})
			got := inside(t, 6, root, script, fmt.Sprint("--user=", uid, ":", uid),
				fmt.Sprint("--security-opt=no-new-privileges=", privileges))
			require.Equal(t, want, got, "uid %d, no new privileges %v", uid, privileges)
		}
	}
}

// runcBundle is a bundle as docker would hand it to runc, but for what change does.
func runcBundle(t *testing.T, root string, change func(*specs.Spec), args ...string) string {
	t.Helper()
	bundle := ktest.PublicDir(t)
	require.NoError(t, exec.Command("runc", "spec", "--bundle", bundle).Run())
	config := filepath.Join(bundle, "config.json")
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	var s specs.Spec
	require.NoError(t, json.Unmarshal(text, &s))
	var o securityOptions
	set, err := o.capabilities(everything(t))
	require.NoError(t, err)
	list := capabilityNames(set)
	s.Process.Terminal, s.Process.Rlimits, s.Process.Args = false, nil, args
	s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: list, Effective: list, Permitted: list}
	s.Root = &specs.Root{Path: root}
	s.Linux.CgroupsPath = fmt.Sprint("/kit-test-runc-", os.Getpid())
	s.Linux.ReadonlyPaths = []string{
		"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
	}
	s.Linux.MaskedPaths = []string{
		"/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/timer_list",
		"/sys/firmware",
	}
	s.Linux.Seccomp, err = seccomp.GetDefaultProfile(&s)
	require.NoError(t, err)
	change(&s)
	text, err = json.Marshal(s)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config, text, 0o644))
	return bundle
}

// runc runs a script in such a container.
func runc(t *testing.T, root, script string, change func(*specs.Spec)) string {
	t.Helper()
	bundle := runcBundle(t, root, change, "/bin/sh", "-c", script)
	state := filepath.Join(bundle, "state")
	name := fmt.Sprint("kit-test-", os.Getpid())
	r := finish(t, exec.Command("runc", "--root", state, "run", "--bundle", bundle, name))
	_ = exec.Command("runc", "--root", state, "delete", "--force", name).Run()
	require.Zero(t, r.exit, r.err)
	return strings.TrimSuffix(r.out, "\n")
}
