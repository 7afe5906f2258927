//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

func TestHostname(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	before, err := os.Hostname()
	require.NoError(t, err)
	out := inside(t, 2, root, "hostname; hostname changed && hostname", "--hostname", "a-name.of.mine")
	require.Equal(t, "a-name.of.mine\nchanged", out)
	after, err := os.Hostname()
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestTimeOffset(t *testing.T) {
	ktest.RequireKernel(t, "/proc/self/ns/time")
	ktest.RequireRelease(t, 6, 2)
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	uptime := func(flags ...string) float64 {
		out := inside(t, 2, root, "cat /proc/uptime", flags...)
		seconds, err := strconv.ParseFloat(strings.Fields(out)[0], 64)
		require.NoError(t, err)
		return seconds
	}
	require.InDelta(t, uptime()+36*3600, uptime("--time-offset", "36h"), 60)
}

func TestWorkdir(t *testing.T) {
	root := ktest.Rootfs(t)
	variants(t, func(t *testing.T, step int, flags ...string) {
		require.Equal(t, "/etc", inside(t, step, root, "pwd", append(flags, "-w", "/etc")...))
	})
}

// TestUser runs as accounts of the container's own /etc/passwd.
func TestUser(t *testing.T) {
	ktest.Root(t) // without root there is one id only, see TestUserWithoutIDs
	root := ktest.Rootfs(t)
	write(t, root, "etc/passwd",
		"root:x:0:0::/root:/bin/sh\nada:x:1815:1852::/home/ada:/bin/sh\n", 0o644)
	write(t, root, "etc/group", "root:x:0:\nengine:x:1852:\nmusic:x:77:ada\nfloppy:x:78:\n", 0o644)
	variants(t, func(t *testing.T, step int, flags ...string) {
		for user, want := range map[string]string{
			"":           "0 0 0 /root",
			"ada":        "1815 1852 1852 77 /home/ada",
			"1815":       "1815 1852 1852 77 /home/ada",
			"ada:floppy": "1815 78 78 /home/ada",
			"1815:5":     "1815 5 5 /home/ada",
			"4242":       "4242 0 0 /",
			"4242:4343":  "4242 4343 4343 /",
		} {
			out := inside(t, step, root, "echo $(id -u) $(id -g) $(id -G) $HOME",
				append(flags, "--user", user)...)
			require.Equal(t, want, out, "--user %s", user)
		}
		if step == 2 { // it has a /proc to look at
			out := inside(t, step, root, "grep Cap[PE] /proc/self/status", append(flags, "--user", "ada")...)
			require.Equal(t, 2, strings.Count(out, "0000000000000000"), out)
		}
	})
}

// TestUserWithoutIDs asks for an id where one id is all there is.
func TestUserWithoutIDs(t *testing.T) {
	ktest.User(t)
	if ranges, err := os.ReadFile("/etc/subuid"); err == nil && len(ranges) > 0 {
		t.Skip("there are subordinate ids here")
	}
	root := ktest.Rootfs(t)
	variants(t, func(t *testing.T, step int, flags ...string) {
		r := runKit(t, untraced(step, root, "id", append(flags, "--user", "1000")...)...)
		require.Equal(t, 125, r.exit, r.err)
		require.Regexp(t, "^kit: set.*: invalid argument\nhint: .* one id, 0", r.err)
	})
}

// TestRemap looks at --userns remap from both sides.
func TestRemap(t *testing.T) {
	ktest.Root(t)
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for _, flags := range [][]string{{"--userns", "remap"}, {"--userns=remap", "--init"}} {
		script := "touch /made; id -u; chown 5:5 /made; echo ready; cat"
		kit := start(t, untraced(2, root, script, flags...)...)
		cat := payload(t, kit.Process.Pid, "cat")
		uid, err := strconv.Atoi(strings.Fields(status(t, cat[0], "Uid"))[0])
		require.NoError(t, err)
		require.GreaterOrEqual(t, uid, 100000)
		info, err := os.Stat(filepath.Join(root, "made"))
		require.NoError(t, err)
		require.EqualValues(t, 5, info.Sys().(*syscall.Stat_t).Uid, "on the disk")
		require.Zero(t, kit.end(t))
		require.NoError(t, os.Remove(filepath.Join(root, "made")))
	}
	out := inside(t, 2, root, "id -u; cat /proc/self/uid_map;"+
		"(echo x >/proc/sys/kernel/core_pattern) 2>/dev/null || echo kept",
		"--userns", "remap")
	require.Equal(t, []string{"0", "0", "100000", "65536", "kept"}, strings.Fields(out))
}

// TestRemapWhereMountsAreShared: systemd shares all mounts with those that copy
// them, and pivot_root takes no shared mount.
func TestRemapWhereMountsAreShared(t *testing.T) {
	ktest.Root(t)
	ktest.RequireTool(t, "unshare")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	r := finish(t, exec.Command("unshare", "--mount", "--propagation=shared",
		"kit", "step", "2", "--trace=off", "--userns=remap", "--rootfs", root, "--", "id", "-u"))
	require.Zero(t, r.exit, r.err)
	require.Equal(t, "0\n", r.out)
}

// TestRemapRefused has a root on overlayfs, whose owners cannot be mapped.
func TestRemapRefused(t *testing.T) {
	ktest.Root(t)
	ktest.RequireTool(t, "unshare", "mount")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	script := `cd "$1" && mount -t tmpfs tmpfs . && cd "$1" && mkdir upper work root &&
		mount -t overlay overlay -o "lowerdir=$0,upperdir=upper,workdir=work" root &&
		exec kit step 2 --trace=off --userns remap --rootfs root -- /bin/true`
	r := finish(t, exec.Command("unshare", "--mount",
		"/bin/sh", "-c", script, root, ktest.PublicDir(t)))
	require.Equal(t, 125, r.exit)
	require.Regexp(t, "^kit: namespaces: mount_setattr .*: invalid argument\nhint: .*overlayfs", r.err)
}

// TestSubordinateIDs has an account with ids in /etc/subuid and /etc/subgid, as
// an administrator would write them, in a mount namespace in which nobody else
// sees them.
func TestSubordinateIDs(t *testing.T) {
	ktest.Root(t) // to put the files in place
	ktest.RequireTool(t, "unshare", "mount", "setpriv", "newuidmap", "newgidmap")
	root := ktest.Rootfs(t)
	kit := ktest.Build(t, "github.com/containerkit/kit/cmd/kit")
	for _, file := range []string{"/etc/subuid", "/etc/subgid"} {
		if _, err := os.Stat(file); err != nil {
			ktest.Missing(t, "no "+file+" to mount on")
		}
	}
	ktest.Clean(t)
	etc := ktest.PublicDir(t)
	write(t, etc, "passwd", "root:x:0:0::/:/bin/sh\nkit:x:54321:54321::/:/bin/sh\n", 0o644)
	for _, file := range []string{"subuid", "subgid"} {
		write(t, etc, file, "kit:700000:65536\n", 0o644)
	}
	home := ktest.PublicDir(t)
	for _, dir := range []string{root, home} {
		require.NoError(t, exec.Command("chown", "-R", "54321:54321", dir).Run())
	}
	script := `set -e
for f in passwd subuid subgid; do mount --bind "$1/$f" /etc/$f; done
exec setpriv --reuid=54321 --regid=54321 --clear-groups --inh-caps=-all \
	env HOME="$2" KIT_STATE="$2/state" KIT_CACHE="$2/cache" \
	"$3" step 2 --trace=off --rootfs "$0" -- /bin/sh -c '
	cat /proc/self/uid_map; touch /tmp/made; chown 5:5 /tmp/made; stat -c %u:%g /tmp/made'`
	require.NoError(t, os.MkdirAll(filepath.Join(root, "tmp"), 0o1777))
	require.NoError(t, os.Chown(filepath.Join(root, "tmp"), 54321, 54321))
	r := finish(t, exec.Command("unshare", "--mount", "/bin/sh", "-c", script, root, etc, home, kit))
	require.Zero(t, r.exit, r.err)
	require.Equal(t, strings.Fields("0 54321 1 1 700000 65536 5:5"), strings.Fields(r.out))
	info, err := os.Stat(filepath.Join(root, "tmp/made"))
	require.NoError(t, err)
	require.EqualValues(t, 700004, info.Sys().(*syscall.Stat_t).Uid)
}

// TestSharing compares namespaces with the host's.
func TestSharing(t *testing.T) {
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	for flag, shared := range map[string]string{
		"": "", "--ipc=host": "ipc", "--pid=host": "pid", "--ipc=private": "",
	} {
		var flags []string
		if flag != "" {
			flags = []string{flag}
		}
		for _, ns := range []string{"ipc", "pid", "uts", "mnt"} {
			host, err := os.Readlink("/proc/self/ns/" + ns)
			require.NoError(t, err)
			out := inside(t, 2, root, "readlink /proc/self/ns/"+ns, flags...)
			require.Equal(t, ns == shared, host == out, fmt.Sprint(ns, " with ", flag))
		}
	}
}
