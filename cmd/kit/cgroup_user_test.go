//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/procfs"
)

// delegate makes a cgroup in every hierarchy and gives it to a user, as systemd
// does with Delegate=yes: the directory and the files that move processes and
// enable controllers.
func delegate(t *testing.T, uid int) (dirs []string) {
	t.Helper()
	mounts, err := procfs.CgroupMounts()
	require.NoError(t, err)
	own, err := procfs.Cgroups(0)
	require.NoError(t, err)
	for _, m := range mounts {
		if len(m.Controllers) == 1 && strings.HasPrefix(m.Controllers[0], "name=") {
			continue
		}
		for _, c := range own {
			top, ok := m.CgroupDir(c)
			if !ok || !m.Holds(c) {
				continue
			}
			if m.V2 {
				top = m.Dir
			}
			dir := filepath.Join(top, fmt.Sprintf("testkit-%d", os.Getpid()))
			dirs = append(dirs, dir)
			require.NoError(t, os.Mkdir(dir, 0o755))
			t.Cleanup(func() {
				assert.Eventually(t, func() bool { return os.Remove(dir) == nil },
					5*time.Second, 5*time.Millisecond, dir)
			})
			for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
				if text, err := os.ReadFile(filepath.Join(top, file)); err == nil && !m.V2 {
					write(t, dir, file, string(text), 0o644)
				}
			}
			for _, file := range []string{"", "cgroup.procs", "cgroup.subtree_control", "tasks"} {
				_ = os.Chown(filepath.Join(dir, file), uid, uid) // each version has some of them
			}
		}
	}
	return dirs
}

// asUser runs kit as another user, in the cgroups dirs.
func asUser(t *testing.T, uid int, dirs []string, home string, args ...string) result {
	t.Helper()
	kit, err := exec.LookPath("kit")
	require.NoError(t, err)
	script := `for d in $CGROUPS; do echo $$ >$d/cgroup.procs || exit 99; done
exec setpriv --reuid=$ID --regid=$ID --clear-groups --inh-caps=-all "$0" "$@"`
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, kit}, args...)...)
	cmd.Env = append(os.Environ(), fmt.Sprint("ID=", uid), "CGROUPS="+strings.Join(dirs, " "),
		"HOME="+home, "KIT_STATE="+filepath.Join(home, "state"),
		"KIT_CACHE="+filepath.Join(home, "cache"))
	return finish(t, cmd)
}

// TestDelegated gives a user cgroups, with kit in them or in one below.
func TestDelegated(t *testing.T) {
	ktest.Root(t) // to give them away
	ktest.RequireTool(t, "setpriv")
	needLimits(t, "memory", "pids")
	const uid = 54321
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	home := ktest.PublicDir(t)
	require.NoError(t, exec.Command("chown", "-R", fmt.Sprint(uid), root, home).Run())
	for _, below := range []string{"", "below"} {
		t.Run("own"+below, func(t *testing.T) {
			dirs := delegate(t, uid)
			for i, dir := range dirs {
				dirs[i] = filepath.Join(dir, below)
				if below == "" {
					continue
				}
				require.NoError(t, os.Mkdir(dirs[i], 0o755))
				t.Cleanup(func() { _ = os.Remove(dirs[i]) })
				for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
					if text, err := os.ReadFile(filepath.Join(dir, file)); err == nil && len(text) > 1 {
						write(t, dirs[i], file, string(text), 0o644)
					}
				}
				require.NoError(t, exec.Command("chown", "-R", fmt.Sprint(uid), dirs[i]).Run())
			}
			eat := "exec dd if=/dev/zero of=/dev/null bs=200M count=1"
			r := asUser(t, uid, dirs, home, untraced(3, root, eat, "--memory", "64m")...)
			require.Equal(t, 137, r.exit, r.err)
			require.Equal(t, "kit: memory: the OOM killer ended 1 process at the limit of 64 MiB\n", r.err)
			forks := "while sleep 100 & do :; done"
			r = asUser(t, uid, dirs, home, untraced(3, root, forks, "--pids-limit", "20")...)
			require.Contains(t, r.err, "kit: pids: 1 fork failed at the limit of 20 tasks\n")
			r = asUser(t, uid, dirs, home, untraced(3, root, "cat /proc/self/cgroup")...)
			require.Zero(t, r.exit, r.err)
			for _, dir := range dirs { // nothing is left in them, and they are as they were
				entries, err := filepath.Glob(dir + "/*/cgroup.procs")
				require.NoError(t, err)
				require.Empty(t, entries)
				if text, err := os.ReadFile(dir + "/cgroup.subtree_control"); err == nil {
					require.Empty(t, strings.TrimSpace(string(text)))
				}
			}
		})
	}
}

// TestNotDelegated has nothing to limit with, and asks for a limit nevertheless.
func TestNotDelegated(t *testing.T) {
	ktest.User(t)
	if mayLimit(t, "memory") {
		t.Skip("cgroups are delegated to us")
	}
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(ktest.PublicDir(t), "none"))
	r := runKit(t, untraced(3, root, "true", "--memory", "64m")...)
	require.Equal(t, 125, r.exit)
	require.Regexp(t, `^kit: cgroups: cgroup /.*: permission denied\n`+
		`hint: .*\nhint: (let systemd give|there is no systemd here: root can make) .*\n$`, r.err)
	require.Contains(t, runKit(t, "steps").out,
		"  on this machine: yes, in a user namespace of your own, but without limits: cgroups: cgroup /")
	require.Empty(t, inside(t, 3, root, "true"))
	require.Error(t, unix.Access("/sys/fs/cgroup/cgroup.procs", unix.W_OK))
}
