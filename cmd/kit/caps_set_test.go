//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/state"
	"github.com/containerkit/kit/steps"
)

// dockerCaps is the set of docker's default container, as the kernel prints it.
const dockerCaps = "00000000a80425fb"

const noCaps = "0000000000000000"

// capLines prints the five sets of a process inside: what the shell, and what the
// container's first process may do.
const capLines = "grep -h ^Cap /proc/self/status /proc/1/status"

// sets is what capLines prints for a process with these sets.
func sets(permitted, bounding string) string {
	one := fmt.Sprintf("CapInh:\t%s\nCapPrm:\t%s\nCapEff:\t%s\nCapBnd:\t%s\nCapAmb:\t%s",
		noCaps, permitted, permitted, bounding, noCaps)
	return one + "\n" + one
}

// everything are all capabilities that a container can be given here.
func everything(t *testing.T) uint64 {
	t.Helper()
	self, err := procfs.ReadStatus(os.Getpid())
	require.NoError(t, err)
	if os.Geteuid() == 0 {
		return self.CapPrm
	}
	last, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	require.NoError(t, err)
	var n int
	_, err = fmt.Sscan(string(last), &n)
	require.NoError(t, err)
	return 1<<(n+1) - 1
}

func hex(set uint64) string { return fmt.Sprintf("%016x", set) }

// TestCapabilities compares the sets inside with docker's, in all its ways of
// giving and taking.
func TestCapabilities(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	all := everything(t)
	const docker uint64 = 0xa80425fb
	for _, test := range []struct {
		flags string
		set   uint64
	}{
		{"", docker},
		{"--init", docker},
		{"--security-opt=no-new-privileges=false", docker},
		{"--security-opt=no-new-privileges=false --init", docker},
		{"--security-opt=seccomp=unconfined", docker},
		{"--cap-add=net_admin", docker | 1<<unix.CAP_NET_ADMIN},
		{"--cap-add=CAP_SYSLOG --cap-add=Sys_Time", docker | 1<<unix.CAP_SYSLOG | 1<<unix.CAP_SYS_TIME},
		{"--cap-drop=CHOWN,cap_kill", docker &^ (1<<unix.CAP_CHOWN | 1<<unix.CAP_KILL)},
		{"--cap-drop=ALL", 0},
		{"--cap-drop=ALL --init", 0},
		{"--cap-drop=all --cap-add=net_bind_service", 1 << unix.CAP_NET_BIND_SERVICE},
		{"--cap-add=ALL", all},
		{"--cap-add=ALL --cap-drop=SYS_ADMIN", all &^ (1 << unix.CAP_SYS_ADMIN)},
		{"--cap-drop=MKNOD --cap-add=MKNOD", docker},
		{"--cap-drop=SYS_BOOT", docker},
	} {
		out := inside(t, 6, root, capLines, strings.Fields(test.flags)...)
		require.Equal(t, sets(hex(test.set), hex(test.set)), out, test.flags)
	}
}

// TestCapabilitiesOfTheStepBefore: it is this step that takes them away.
func TestCapabilitiesOfTheStepBefore(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	out := inside(t, 5, root, "grep -hE '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status")
	require.Equal(t, "CapBnd:\t"+hex(everything(t))+"\nNoNewPrivs:\t0\nSeccomp:\t0", out)
}

// TestCapabilitiesOfAUser: another user than root has none, even those added, but
// its set-uid programs could get them.
func TestCapabilitiesOfAUser(t *testing.T) {
	ktest.Root(t)
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for _, flags := range []string{
		"", "--init", "--security-opt=no-new-privileges=false",
		"--security-opt=no-new-privileges=false --init",
	} {
		out := inside(t, 6, root, capLines, append(strings.Fields(flags), "--user=1000:1000")...)
		require.Equal(t, sets(noCaps, dockerCaps), out, flags)
	}
	out := inside(t, 6, root, capLines, "--user=1000", "--cap-add=NET_ADMIN")
	require.Equal(t, sets(noCaps, hex(0xa80425fb|1<<unix.CAP_NET_ADMIN)), out)
}

// TestCapabilitiesOfAllThreads: an init stays, with all of its threads.
func TestCapabilitiesOfAllThreads(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for _, flag := range []string{"true", "false"} {
		out := inside(t, 6, root, "cat /proc/1/task/*/status", "--init",
			"--cap-drop=ALL", "--security-opt=no-new-privileges="+flag)
		threads := strings.Count(out, "CapPrm:")
		require.Greater(t, threads, 1)
		require.Equal(t, threads, strings.Count(out, "Seccomp:\t2"), out)
		if !cgoBuild { // with it, the step cannot reach the other threads
			require.Equal(t, threads, strings.Count(out, "CapEff:\t"+noCaps), out)
			// Or one of them, traced by root inside, would get all back by an execve.
			require.Equal(t, threads, strings.Count(out, "CapBnd:\t"+noCaps), out)
		}
	}
}

// TestCapabilitiesOfARemappedContainer: in a new user namespace even what kit lacks can be had.
func TestCapabilitiesOfARemappedContainer(t *testing.T) {
	ktest.Root(t)
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	out := inside(t, 6, root, capLines, "--userns=remap", "--cap-drop=ALL", "--cap-add=SYS_RESOURCE")
	set := hex(1 << unix.CAP_SYS_RESOURCE)
	require.Equal(t, sets(set, set), out)
}

// TestSetUidProgram runs one that belongs to root as another user.
func TestSetUidProgram(t *testing.T) {
	ktest.Root(t)
	root := ktest.Rootfs(t)
	probe := ktest.Build(t, "github.com/containerkit/kit/internal/ktest/probe")
	for name, mode := range map[string]os.FileMode{"setuid": 0o755 | os.ModeSetuid, "filecap": 0o755} {
		text, err := os.ReadFile(probe)
		require.NoError(t, err)
		write(t, root, name, string(text), mode)
	}
	// struct vfs_cap_data, revision 2: CAP_NET_RAW permitted, and effective at once.
	attr := append([]byte{1, 0, 0, 2, 0, 1 << (unix.CAP_NET_RAW - 8)}, make([]byte, 14)...)
	err := unix.Setxattr(filepath.Join(root, "filecap"), "security.capability", attr, 0)
	require.NoError(t, err)
	ktest.Clean(t)
	for flag, want := range map[string]string{
		"no-new-privileges":       "chroot EPERM\nsocket-raw EPERM",
		"no-new-privileges=true":  "chroot EPERM\nsocket-raw EPERM",
		"no-new-privileges:false": "chroot ok\nsocket-raw ok",
	} {
		for _, init := range []string{"--init=false", "--init"} {
			out := inside(t, 6, root, "/setuid chroot; /filecap socket-raw",
				"--user=1000", "--security-opt", flag, init)
			require.Equal(t, want, out, "%s %s", flag, init)
		}
	}
}

// TestWhatIsAllowed does what docker's containers are there for.
func TestWhatIsAllowed(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	script := `set -e
		touch /tmp/f; chown 0:0 /tmp/f; chmod 600 /tmp/f; ln /tmp/f /tmp/g; rm /tmp/f /tmp/g
		mkfifo /tmp/p; rm /tmp/p; ping -c 1 -W 5 127.0.0.1 >/dev/null
		(timeout 5 nc -l -p 80 -e echo served) &
		n=0; until echo | nc 127.0.0.1 80 2>/dev/null || [ $((n+=1)) -gt 500 ]; do usleep 5000; done`
	require.NoError(t, os.MkdirAll(filepath.Join(root, "tmp"), 0o777))
	require.Equal(t, "served", inside(t, 6, root, script))
	// In a network of its own any user may bind it, as in docker; the host's does not let us.
	r := runKit(t, untraced(6, root, "timeout 1 nc -l -p 7", "--cap-drop=ALL", "--net=host")...)
	require.NotZero(t, r.exit)
	require.Contains(t, r.err, "Permission denied")
}

// TestKilledKitTakesARestrictedContainerAlong: what ties its life to kit's is not
// lost with the capabilities.
func TestKilledKitTakesARestrictedContainerAlong(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	cases := []string{
		"", "--init", "--security-opt=no-new-privileges=false",
		"--security-opt=no-new-privileges=false --init", "--cap-drop=ALL",
	}
	if os.Geteuid() == 0 {
		cases = append(cases, "--user=1000", "--user=1000 --security-opt=no-new-privileges=false")
	}
	for _, flags := range cases {
		t.Run(flags, func(t *testing.T) {
			t.Setenv("KIT_STATE", filepath.Join(ktest.PublicDir(t), "state"))
			kit := start(t, untraced(6, root, "echo ready; exec cat",
				append(strings.Fields(flags), "--net=none")...)...)
			payload(t, kit.Process.Pid, "cat")
			family := descendants(t, kit.Process.Pid)
			require.NoError(t, kit.Process.Kill())
			require.Equal(t, 137, kit.exit(t))
			require.Eventually(t, func() bool { return alive(family) == nil },
				5*time.Second, time.Millisecond, "%v", family)
			sweep(t)
		})
	}
}

// sweep does what kit clean does: it runs the Afters of what a killed kit has left.
func sweep(t *testing.T) {
	t.Helper()
	all, err := state.List()
	require.NoError(t, err)
	for _, s := range all {
		c := &container.Container{}
		require.NoError(t, json.Unmarshal(s.Container, c))
		// A directory is locked until the last thread of the killed kit has ended.
		require.Eventually(t, func() bool {
			for _, step := range slices.Backward(steps.All[:c.Steps]) {
				if step.After != nil {
					require.NoError(t, step.After(c))
				}
			}
			return !leftInCache()
		}, 5*time.Second, 5*time.Millisecond, c.Name)
	}
}

// leftInCache tells that a container's files are still there. Overlayfs leaves a
// directory that nobody may open, and we need not be root: it may be opened now.
func leftInCache() (found bool) {
	cache := filepath.Join(os.Getenv("KIT_CACHE"), "containers")
	_ = filepath.WalkDir(cache, func(path string, _ fs.DirEntry, err error) error {
		found = found || err == nil && path != cache
		return os.Chmod(path, 0o700)
	})
	return found
}

// TestTerminalOfARestrictedContainer has a shell with job control at one.
func TestTerminalOfARestrictedContainer(t *testing.T) {
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	for _, flags := range [][]string{{"6", "-t"}, {"6", "-t", "--init"}, {"6"}} {
		t.Run(strings.Join(flags, " "), func(t *testing.T) {
			s := atShell(t, root, flags...)
			require.Equal(t, "Seccomp:\t2", s.answer(t, "grep ^Seccomp: /proc/self/status"))
			require.Contains(t, s.answer(t, "sleep 100 & jobs; kill %1; wait %1"), "Running")
		})
	}
}
