//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// TestDoubleChroot walks out of a chroot, and fails against pivot_root.
func TestDoubleChroot(t *testing.T) {
	root := ktest.Rootfs(t)
	kit := ktest.Build(t, "github.com/containerkit/kit/cmd/kit")
	require.NoError(t, os.Rename(kit, filepath.Join(root, "bin/kit")))
	outside := filepath.Join(ktest.PublicDir(t), "outside")
	require.NoError(t, os.WriteFile(outside, []byte("the host's"), 0o644))
	ktest.Clean(t)
	attack := "kit attack double-chroot /bin/cat " + outside
	require.Equal(t, "outside\nthe host's", inside(t, 1, root, attack))

	r := runKit(t, untraced(2, root, attack)...)
	require.Equal(t, 125, r.exit)
	require.Empty(t, r.out)
	require.Contains(t, r.err, "no way out")
	require.NoDirExists(t, filepath.Join(root, ".kit-escape"))
}

// TestMountsStayInside runs kit where "/" is shared, as systemd makes it: what
// is mounted in a mount namespace then appears in all copies of it, unless
// propagation is cut first. The shared "/" is that of a mount namespace made for
// the test.
func TestMountsStayInside(t *testing.T) {
	ktest.RequireTool(t, "unshare", "mount", "cat")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	script := `
before=$(cat /proc/self/mountinfo)
case $before in *" / / "*shared:*) ;; *) echo "/ is not shared"; exit 1;; esac
kit step 2 --trace=off --rootfs "$0" -- \
	/bin/sh -c 'mount -t tmpfs new /mnt && grep -c " /mnt " /proc/mounts'
test "$before" = "$(cat /proc/self/mountinfo)" && echo the same`
	args := []string{
		"--mount", "--propagation", "unchanged", "/bin/sh", "-c",
		"mount --make-rshared / && exec /bin/sh -c \"$0\" \"$1\"", script, root,
	}
	if os.Geteuid() != 0 {
		args = append([]string{"--user", "--map-root-user"}, args...)
	}
	require.NoError(t, os.MkdirAll(filepath.Join(root, "mnt"), 0o755))
	r := finish(t, exec.Command("unshare", args...))
	require.Equal(t, result{out: "1\nthe same\n"}, r)
}

// TestChrootMountsShow is the reason for the cut: at step 1 a mount made inside
// is made in the host's mount namespace.
func TestChrootMountsShow(t *testing.T) {
	ktest.Root(t) // without root, step 0 has a mount namespace of its own
	root := ktest.Rootfs(t)
	require.NoError(t, os.MkdirAll(filepath.Join(root, "mnt"), 0o755))
	ktest.Clean(t)
	script := `kit "$@" && grep -c seen-outside /proc/self/mountinfo`
	shell := exec.Command("/bin/sh", "-c", script, "sh")
	shell.Args = append(shell.Args, untraced(1, root, "mount -t tmpfs seen-outside /mnt")...)
	// The host's namespace of this test is one that goes away with it.
	shell.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	require.Equal(t, result{out: "1\n"}, finish(t, shell))
}

// TestOldRootIsGone looks for the host's mounts inside.
func TestOldRootIsGone(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	out := inside(t, 2, root, "cut -d' ' -f5 /proc/self/mountinfo")
	for _, point := range strings.Fields(out) {
		require.Regexp(t, "^(/|/proc|/sys(/.*)?|/dev(/.*)?)$", point)
	}
}
