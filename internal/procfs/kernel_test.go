package procfs

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// sleeper starts a process that waits, in new namespaces.
func sleeper(t *testing.T, flags uintptr) int {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Pdeathsig: unix.SIGKILL}
	if flags&unix.CLONE_NEWUSER != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
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

func inodes(t *testing.T, list []Namespace, err error) map[string]uint64 {
	t.Helper()
	require.NoError(t, err)
	m := map[string]uint64{}
	for _, ns := range list {
		require.NoError(t, ns.Err)
		m[ns.Kind] = ns.Inode
	}
	return m
}

func TestNamespacesOfAChild(t *testing.T) {
	pid := sleeper(t, unix.CLONE_NEWUSER|unix.CLONE_NEWUTS|unix.CLONE_NEWPID)
	list, err := Namespaces(0)
	own := inodes(t, list, err)
	list, err = Namespaces(pid)
	child := inodes(t, list, err)
	for _, kind := range Kinds() {
		isNew := kind == "user" || kind == "uts" || kind == "pid"
		require.Equal(t, isNew, own[kind] != child[kind], kind)
	}
	list, err = ForChildren(pid)
	require.Equal(t, child["pid"], inodes(t, list, err)["pid_for_children"])

	m, err := IDMap(pid, "uid_map")
	require.NoError(t, err)
	require.Equal(t, IDMaps{{0, uint32(os.Getuid()), 1}}, m)
	s, err := ReadStatus(pid)
	require.NoError(t, err)
	require.Equal(t, []int{pid, 1}, s.NSpid)
	require.Equal(t, os.Getpid(), s.PPid)
	require.NotZero(t, s.CapEff, "root in its own user namespace")
}

func TestNoSuchProcess(t *testing.T) {
	const pid = 1<<22 + 1 // one more than pid_max can be
	_, err := Namespaces(pid)
	require.ErrorIs(t, err, unix.ESRCH)
	_, err = ForChildren(pid)
	require.ErrorIs(t, err, unix.ESRCH)
	_, err = ReadStatus(pid)
	require.ErrorIs(t, err, unix.ESRCH)
	require.EqualError(t, err, "open /proc/4194305/status: no such process")
	_, err = StartTime(pid)
	require.ErrorIs(t, err, unix.ESRCH)
	require.False(t, Running(pid, 0))
}

func TestZombieHasLeftItsNamespaces(t *testing.T) {
	cmd := exec.Command("true")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() })
	pid := cmd.Process.Pid
	start, err := StartTime(pid)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		s, err := ReadStatus(pid)
		return err == nil && s.State == 'Z'
	}, 10*time.Second, time.Millisecond)
	require.False(t, Running(pid, start))
	list, err := Namespaces(pid)
	require.NoError(t, err)
	for _, ns := range list {
		if ns.Kind == "mnt" {
			require.Error(t, ns.Err)
		}
	}
}

// TestPidNamespaceToCome runs itself again in a user namespace, where it may
// unshare whoever we are.
func TestPidNamespaceToCome(t *testing.T) {
	if os.Getenv("PROCFS_INSIDE") == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestPidNamespaceToCome$", "-test.v")
		cmd.Env = append(os.Environ(), "PROCFS_INSIDE=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return
	}
	runtime.LockOSThread() // and never unlock: the thread can start no process
	require.NoError(t, unix.Unshare(unix.CLONE_NEWPID))
	list, err := ForChildren(0)
	require.NoError(t, err)
	require.Equal(t, Namespace{Kind: "pid_for_children"}, list[0])
}

func TestStatusAgreesWithCalls(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s, err := ReadStatus(0)
	require.NoError(t, err)
	require.Equal(t, os.Getpid(), s.Tgid)
	require.Equal(t, unix.Gettid(), s.Pid)
	require.Equal(t, os.Geteuid(), s.Uid[1])
	require.Positive(t, s.Threads)
}

func TestRunning(t *testing.T) {
	pid := sleeper(t, 0)
	start, err := StartTime(pid)
	require.NoError(t, err)
	require.True(t, Running(pid, start))
	require.False(t, Running(pid, start+1))
	require.False(t, Ending(pid, start))
	require.True(t, Ending(pid, start+1), "it is another process")
	require.NoError(t, unix.Kill(pid, unix.SIGKILL))
	require.Eventually(t, func() bool { return Ending(pid, start) }, 10*time.Second, time.Millisecond)
}

func TestOwnCgroupsCanBeFound(t *testing.T) {
	own, err := Cgroups(0)
	require.NoError(t, err)
	require.NotEmpty(t, own)
	mounts, err := CgroupMounts()
	require.NoError(t, err)
	for _, m := range mounts {
		for _, c := range own {
			if dir, ok := m.CgroupDir(c); ok && m.Holds(c) {
				procs, err := os.ReadFile(dir + "/cgroup.procs")
				require.NoError(t, err)
				require.NotEmpty(t, strings.Fields(string(procs)), dir)
			}
		}
	}
	mode, err := CgroupMode()
	require.NoError(t, err)
	require.Contains(t, []string{"v1", "v2", "hybrid"}, mode)
}

func BenchmarkReadStatus(b *testing.B) {
	for b.Loop() {
		if _, err := ReadStatus(0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNamespaces(b *testing.B) {
	for b.Loop() {
		if _, err := Namespaces(0); err != nil {
			b.Fatal(err)
		}
	}
}
