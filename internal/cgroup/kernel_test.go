package cgroup

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/procfs"
)

// group makes a cgroup in each hierarchy in which this test may make one, of the
// kinds that it wants, and removes them at the end.
func group(t *testing.T, want func(m procfs.CgroupMount) bool) (dirs []string) {
	t.Helper()
	mounts, err := procfs.CgroupMounts()
	require.NoError(t, err)
	for _, m := range mounts {
		dir := filepath.Join(m.Dir, fmt.Sprintf("testkit-%d", os.Getpid()))
		if !want(m) || slices.Contains(m.Controllers, "cpuset") || os.Mkdir(dir, 0o755) != nil {
			continue // v1's cpuset takes nobody before it has CPUs
		}
		dirs = append(dirs, dir)
		t.Cleanup(func() {
			killAll(dir)
			assert.Eventually(t, func() bool { return os.Remove(dir) == nil },
				5*time.Second, time.Millisecond, dir)
		})
	}
	if !slices.ContainsFunc(mounts, want) {
		t.Skip("no such hierarchy is mounted")
	}
	if len(dirs) == 0 {
		ktest.Lacks(t, "cgroup")
	}
	return dirs
}

func all(procfs.CgroupMount) bool  { return true }
func v2(m procfs.CgroupMount) bool { return m.V2 }
func v1(m procfs.CgroupMount) bool { return !m.V2 }
func loop(t *testing.T, dirs []string) *exec.Cmd {
	t.Helper()
	return start(t, dirs, "exec sh -c 'while :; do :; done'")
}

// start runs a script in the cgroups, to the end of the test.
func start(t *testing.T, dirs []string, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", "read go; "+script)
	gate, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	for _, dir := range dirs {
		pid := []byte(strconv.Itoa(cmd.Process.Pid))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "cgroup.procs"), pid, 0))
	}
	t.Cleanup(func() {
		_, _ = Thaw(dirs, time.Second)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	_, err = gate.Write([]byte("\n"))
	require.NoError(t, err)
	return cmd
}

func TestReadRealCgroups(t *testing.T) {
	ktest.Root(t)
	dirs := group(t, all)
	loop(t, dirs)
	require.Eventually(t, func() bool {
		s, err := Read(dirs)
		return err == nil && s.CPU.Usage != nil && *s.CPU.Usage > 0.1
	}, 10*time.Second, 10*time.Millisecond)
	s, err := Read(dirs)
	require.NoError(t, err)
	require.Greater(t, *s.CPU.User, 0.0)
	if has(dirs, "pids.current") {
		require.EqualValues(t, 1, *s.Pids.Current)
		require.Nil(t, s.Pids.Limit.Limit)
	}
	if has(dirs, "memory.stat") {
		require.NotZero(t, *s.Memory.Current)
		require.NotZero(t, *s.Memory.Peak)
		require.Zero(t, *s.Memory.OOMKill)
		require.Equal(t, "memory", s.Memory.Limit.Resource)
	}
	if has(dirs, "cpu.pressure") {
		require.NotNil(t, s.Pressure.CPU)
	}
}

// TestThrottledAndRefused lets the limits act.
func TestThrottledAndRefused(t *testing.T) {
	ktest.Root(t)
	dirs := group(t, all)
	if has(dirs, "cpu.cfs_quota_us") {
		put(t, dirs, "cpu.cfs_quota_us", "10000")
	} else if !put(t, dirs, "cpu.max", "10000 100000") {
		t.Skip("no cpu controller")
	}
	put(t, dirs, "pids.max", "3")
	loop(t, dirs)
	start(t, dirs, "sleep 100 & sleep 100 & sleep 100") // a shell that cannot fork gives up
	require.Eventually(t, func() bool {
		s, err := Read(dirs)
		return err == nil && *s.CPU.Throttled > 2 && *s.Pids.Refused > 0
	}, 10*time.Second, 10*time.Millisecond)
	s, err := Read(dirs)
	require.NoError(t, err)
	require.GreaterOrEqual(t, *s.CPU.Periods, *s.CPU.Throttled)
	require.NotZero(t, *s.CPU.Stopped)
	require.InDelta(t, 0.1, *s.CPU.Limit.Limit, 1e-9)
	require.EqualValues(t, 3, *s.Pids.Limit.Limit)
}

// TestFreeze in v2 and in v1: a frozen loop uses no time, and then goes on.
func TestFreeze(t *testing.T) {
	ktest.Root(t)
	for name, kind := range map[string]func(procfs.CgroupMount) bool{"v2": v2, "v1": v1, "both": all} {
		t.Run(name, func(t *testing.T) {
			dirs := group(t, kind)
			cmd := loop(t, dirs)
			if _, err := findFreezer(dirs); err != nil {
				t.Skip("no freezer")
			}
			uses := func() bool {
				before := ticks(t, cmd.Process.Pid)
				time.Sleep(60 * time.Millisecond)
				return ticks(t, cmd.Process.Pid) > before
			}
			require.Eventually(t, uses, 10*time.Second, time.Millisecond)

			file, err := Freeze(dirs, 10*time.Second)
			require.NoError(t, err)
			unified := slices.ContainsFunc(dirs, func(dir string) bool {
				_, err := os.Stat(dir + "/cgroup.freeze")
				return err == nil
			})
			require.Equal(t, unified, filepath.Base(file) == "cgroup.freeze", file)
			s, err := Read(dirs)
			require.NoError(t, err)
			require.True(t, s.Frozen)
			require.False(t, uses(), "frozen")
			_, err = Freeze(dirs, 10*time.Second)
			require.NoError(t, err, "once more")

			_, err = Thaw(dirs, 10*time.Second)
			require.NoError(t, err)
			require.Eventually(t, uses, 10*time.Second, time.Millisecond)
			s, err = Read(dirs)
			require.NoError(t, err)
			require.False(t, s.Frozen)
		})
	}
}

// TestFrozenFromAbove cannot be undone below.
func TestFrozenFromAbove(t *testing.T) {
	ktest.Root(t)
	for name, kind := range map[string]func(procfs.CgroupMount) bool{"v2": v2, "v1": v1} {
		t.Run(name, func(t *testing.T) {
			above := group(t, kind)
			f, err := findFreezer(above)
			if err != nil {
				t.Skip("no freezer")
			}
			below := []string{filepath.Join(f.dir, "below")}
			require.NoError(t, os.Mkdir(below[0], 0o755))
			t.Cleanup(func() { require.NoError(t, os.Remove(below[0])) })
			_, err = Freeze(above, time.Second)
			require.NoError(t, err)
			_, err = Thaw(below, 20*time.Millisecond)
			require.ErrorContains(t, err, "below: still frozen after 20ms: a cgroup above it is")
			_, err = Thaw(above, time.Second)
			require.NoError(t, err)
		})
	}
}

func TestNoFreezer(t *testing.T) {
	_, err := Freeze([]string{t.TempDir()}, time.Second)
	require.ErrorIs(t, err, ErrNoFreezer)
	_, err = Thaw(nil, time.Second)
	require.ErrorIs(t, err, ErrNoFreezer)
}

func TestReadWhatIsGone(t *testing.T) {
	mounts, err := procfs.CgroupMounts()
	require.NoError(t, err)
	if len(mounts) == 0 {
		t.Skip("no cgroups here")
	}
	_, err = Read([]string{filepath.Join(mounts[0].Dir, "no-such-cgroup")})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestPlaces(t *testing.T) {
	mounts, err := procfs.CgroupMounts()
	require.NoError(t, err)
	for _, m := range mounts {
		list, err := places([]string{m.Dir, m.Dir + "/a/b", "/elsewhere"})
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, m.Root, list[0].Path)
		require.Equal(t, filepath.Join(m.Root, "a/b"), list[1].Path)
		require.Equal(t, m.V2, list[1].V2)
	}
}

// has tells that one of the directories has a file.
func has(dirs []string, file string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, file))
		return err == nil
	})
}

// put writes a file in the directory that has it.
func put(t *testing.T, dirs []string, file, text string) (found bool) {
	t.Helper()
	for _, dir := range dirs {
		if has([]string{dir}, file) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0))
			found = true
		}
	}
	return found
}

// killAll ends the processes of a cgroup.
func killAll(dir string) {
	text, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	for _, word := range strings.Fields(string(text)) {
		if pid, err := strconv.Atoi(word); err == nil {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
}

// ticks is how long a process has run, in nanoseconds (schedstat).
func ticks(t *testing.T, pid int) (n int) {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/schedstat")
	require.NoError(t, err)
	n, err = strconv.Atoi(strings.Fields(string(text))[0])
	require.NoError(t, err)
	return n
}
