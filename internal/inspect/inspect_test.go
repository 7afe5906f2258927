package inspect

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/procfs"
)

const all = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUTS |
	unix.CLONE_NEWIPC | unix.CLONE_NEWNET | unix.CLONE_NEWCGROUP

// sleeper starts a process that waits, as root of a new user namespace.
func sleeper(t *testing.T, flags uintptr) int {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  flags,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   unix.SIGKILL,
	}
	runtime.LockOSThread() // the child dies with the thread that starts it
	t.Cleanup(runtime.UnlockOSThread)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	return cmd.Process.Pid
}

func report(t *testing.T, pid int) *Report {
	t.Helper()
	r, err := Process(pid)
	require.NoError(t, err)
	return r
}

func text(t *testing.T, r *Report) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.WriteText(&b))
	for line := range strings.Lines(b.String()) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), width, line)
	}
	return b.String()
}

func TestSelf(t *testing.T) {
	r := report(t, os.Getpid())
	require.Len(t, r.Namespaces, len(procfs.Kinds()))
	for _, n := range r.Namespaces {
		require.True(t, n.Shared, n.Kind)
	}
	host, err := os.Hostname()
	require.NoError(t, err)
	require.Equal(t, host, r.Hostname)
	require.Empty(t, r.Errors)
	exe, err := os.Executable()
	require.NoError(t, err)
	require.Equal(t, exe, r.Exe)
	require.Contains(t, text(t, r), "yours")
}

func TestAChildInNewNamespaces(t *testing.T) {
	me, r := report(t, os.Getpid()), report(t, sleeper(t, all))
	user := r.Namespaces[0]
	require.Equal(t, "user", user.Kind)
	require.Equal(t, os.Getuid(), *user.OwnerUID)
	require.Equal(t, me.Namespaces[0].Inode, user.Parent)
	require.Equal(t, user.Parent, user.Owner)
	for i, n := range r.Namespaces[1:] {
		if n.Kind == "time" {
			require.True(t, n.Shared)
			continue
		}
		require.False(t, n.Shared, n.Kind)
		require.Equal(t, user.Inode, n.Owner, n.Kind)
		require.Equal(t, os.Getuid(), *n.OwnerUID, n.Kind)
		if n.Kind == "pid" {
			require.Equal(t, me.Namespaces[i+1].Inode, n.Parent)
		}
	}
	require.Equal(t, []int{r.Pid, 1}, r.Pids)
	require.Equal(t, procfs.IDMaps{{Outside: uint32(os.Getuid()), Count: 1}}, r.UIDMap)
	out := text(t, r)
	require.Contains(t, out, ", 1 one PID namespace further in\n")
	require.Contains(t, out, "(0 inside)")
	require.Contains(t, out, "effective     all ")
	if os.Getuid() == 0 {
		require.Equal(t, me.Hostname, r.Hostname, "a new namespace begins with the old name")
	} else {
		require.Contains(t, r.Errors["hostname"], "needs root")
	}
}

// TestLsnsAgrees compares with util-linux.
func TestLsnsAgrees(t *testing.T) {
	ktest.RequireTool(t, "lsns")
	pid := sleeper(t, all)
	out, err := exec.Command("lsns", "-J", "-p", strconv.Itoa(pid), "-o", "NS,TYPE").Output()
	require.NoError(t, err)
	var lsns struct {
		Namespaces []struct {
			NS   uint64
			Type string
		}
	}
	require.NoError(t, json.Unmarshal(out, &lsns))
	theirs, ours := map[string]uint64{}, map[string]uint64{}
	for _, n := range lsns.Namespaces {
		theirs[n.Type] = n.NS
	}
	for _, n := range report(t, pid).Namespaces {
		ours[n.Kind] = n.Inode
	}
	require.Equal(t, theirs, ours)
}

func TestJSONHasEveryKey(t *testing.T) {
	out, err := json.Marshal(report(t, sleeper(t, all)))
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(out, &m))
	for _, key := range []string{
		"pid", "name", "command", "state", "pids", "hostname", "namespaces", "children",
		"uids", "gids", "groups", "uid_map", "gid_map", "capabilities", "no_new_privs", "seccomp",
		"label", "cgroup_mode", "cgroups", "root", "root_mount", "cwd", "exe", "errors",
	} {
		require.Contains(t, m, key)
	}
	require.Len(t, m, 24)
	require.Contains(t, m["capabilities"].(map[string]any)["effective"], "sys_admin")
}

func TestNoSuchProcess(t *testing.T) {
	_, err := Process(1<<22 + 1)
	require.EqualError(t, err, "inspect 4194305: no such process")
}

// TestNotReadable looks at a process that we may not look into: the first one
// of the machine, or where root may do everything there, nothing.
func TestNotReadable(t *testing.T) {
	r := report(t, 1)
	if _, err := os.Readlink("/proc/1/ns/mnt"); err == nil {
		require.NotContains(t, r.Errors, "namespaces.mnt")
		return
	}
	require.Contains(t, r.Errors["namespaces.mnt"], "not readable: ")
	require.Contains(t, r.Errors["root"], "not readable: ")
	require.Len(t, r.Namespaces, len(procfs.Kinds()))
	require.Contains(t, text(t, r), "  all           not readable: ")
}

func TestAKernelThreadOrZombieHasNoProgram(t *testing.T) {
	cmd := exec.Command("true")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() })
	var r *Report
	require.Eventually(t, func() bool {
		r = report(t, cmd.Process.Pid)
		return r.State == "zombie"
	}, 10e9, 1e6)
	require.Contains(t, text(t, r), "gone: the process has ended")
}

// TestChrootHasNoRootMount looks at itself, run again in a user namespace, where
// everybody may chroot.
func TestChrootHasNoRootMount(t *testing.T) {
	root := t.TempDir()
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestWaitInAChroot$")
	cmd.Env = append(os.Environ(), "INSPECT_CHROOT="+root)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
	}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	_, err = out.Read(make([]byte, 1))
	require.NoError(t, err)
	r := report(t, cmd.Process.Pid)
	require.Equal(t, root, r.Root)
	require.Nil(t, r.RootMount)
	require.Contains(t, text(t, r), "none: its / is no mount point, as chroot leaves it\n")
}

// TestWaitInAChroot tells when it is there, and waits for the end of its input.
func TestWaitInAChroot(t *testing.T) {
	root := os.Getenv("INSPECT_CHROOT")
	if root == "" {
		return // it is a helper
	}
	require.NoError(t, unix.Chroot(root))
	_, err := os.Stdout.WriteString("\n")
	require.NoError(t, err)
	_, _ = os.Stdin.Read(make([]byte, 1))
}
