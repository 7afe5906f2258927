//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
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

	"github.com/containerkit/kit/internal/cgroup"
	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/state"
)

// testCgroup makes a cgroup for this test in the hierarchy of a controller, be it
// of v1 or v2, and removes it at the end, with whoever is in it still.
func testCgroup(t testing.TB, controller string) (dir string) {
	t.Helper()
	top := hierarchy(t, controller)
	dir = filepath.Join(top, fmt.Sprintf("testkit-%d-%d", os.Getpid(), time.Now().UnixNano()))
	require.NoError(t, os.Mkdir(dir, 0o755))
	t.Cleanup(func() {
		_, _ = cgroup.Thaw([]string{dir}, time.Second)
		procs, _ := os.ReadFile(dir + "/cgroup.procs")
		for _, word := range strings.Fields(string(procs)) {
			pid, _ := strconv.Atoi(word)
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		assert.Eventually(t, func() bool { return os.Remove(dir) == nil },
			5*time.Second, 5*time.Millisecond, dir)
	})
	return dir
}

// hierarchy is where cgroups of a controller are made; "" is that of v2.
func hierarchy(t testing.TB, controller string) string {
	t.Helper()
	mounts, err := procfs.CgroupMounts()
	require.NoError(t, err)
	for _, m := range mounts {
		if !m.V2 && slices.Contains(m.Controllers, controller) {
			return m.Dir
		}
		enabled, _ := os.ReadFile(m.Dir + "/cgroup.subtree_control")
		has := controller == "" || slices.Contains(strings.Fields(string(enabled)), controller)
		if m.V2 && has {
			return m.Dir
		}
	}
	t.Skip("this kernel has no cgroups with controller " + controller)
	return ""
}

// adopt puts a running container into cgroups of this test, as step 3 would have.
func adopt(t testing.TB, name string, controllers ...string) (dirs []string) {
	t.Helper()
	s, err := state.Load(name)
	require.NoError(t, err)
	for _, c := range controllers {
		dir := testCgroup(t, c)
		if slices.Contains(dirs, dir) {
			continue
		}
		dirs = append(dirs, dir)
		procs := []byte(strconv.Itoa(s.Pid))
		require.NoError(t, os.WriteFile(dir+"/cgroup.procs", procs, 0o644))
	}
	require.NoError(t, state.Exclusive(func(dir string) error {
		var c container.Container
		require.NoError(t, json.Unmarshal(s.Container, &c))
		c.Cgroups = dirs
		s.Container, err = json.Marshal(c)
		require.NoError(t, err)
		return state.Save(dir, s)
	}))
	return dirs
}

// statsOf is what kit stats NAME --json says.
func statsOf(t testing.TB, name string) (s sample) {
	t.Helper()
	r := runKit(t, "stats", name, "--json")
	require.Zero(t, r.exit, r.err)
	require.NoError(t, json.Unmarshal([]byte(r.out), &s))
	return s
}

// TestPauseStopsTheCounter, and resume lets it go on, by the freezer of v2 and of v1.
func TestPauseStopsTheCounter(t *testing.T) {
	ktest.Root(t)
	root := ktest.Rootfs(t)
	for kind, controller := range map[string]string{"v2": "", "v1": "freezer"} {
		t.Run(kind, func(t *testing.T) {
			hierarchy(t, controller) // is there one?
			ktest.Clean(t)
			script := "trap 'exit 9' TERM; echo ready; while sleep 0.01; do i=$((i+1)); echo $i; done"
			kit := start(t, untraced(2, root, script, "--name", "counter")...)
			dirs := adopt(t, "counter", controller)
			kit.expect(t, "\n5\n")

			file := map[string]string{"v2": "cgroup.freeze", "v1": "freezer.state"}[kind]
			r := runKit(t, "pause", "counter")
			require.Equal(t, result{out: "counter: paused (" + file + " in " + dirs[0] + ")\n"}, r)
			require.True(t, statsOf(t, "counter").Frozen)
			kit.out.has("") // what it has printed before
			seen := len(kit.out.seen)
			time.Sleep(200 * time.Millisecond)
			kit.out.has("")
			require.Len(t, kit.out.seen, seen, "it counts")
			refused(t, 125, "pause counter: it is paused already", "pause", "counter")

			r = runKit(t, "resume", "counter")
			require.Equal(t, result{out: "counter: resumed (" + file + " in " + dirs[0] + ")\n"}, r)
			refused(t, 125, "resume counter: it is not paused", "resume", "counter")
			require.False(t, statsOf(t, "counter").Frozen)
			kit.expect(t, "\n")
			kit.expect(t, "\n")
			require.NoError(t, kit.Process.Signal(unix.SIGTERM))
			require.Equal(t, 9, kit.exit(t))
		})
	}
}

// TestStats looks at a busy loop.
func TestStats(t *testing.T) {
	ktest.Root(t)
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	script := "trap 'exit 9' TERM; echo ready; read line; while :; do :; done"
	kit := start(t, untraced(2, root, script, "--name", "busy")...)
	dirs := adopt(t, "busy", "cpu", "cpuacct", "memory", "pids", "")
	_, err := kit.in.(io.Writer).Write([]byte("go\n"))
	require.NoError(t, err)

	require.Eventually(t, func() bool { return *statsOf(t, "busy").CPU.Usage > 0.2 },
		10*time.Second, 10*time.Millisecond)
	s := statsOf(t, "busy")
	require.Equal(t, "busy", s.Name)
	require.Equal(t, 2, s.Step)
	require.Equal(t, dirs, s.Cgroups)
	require.EqualValues(t, 1, *s.Pids.Current)
	require.WithinDuration(t, time.Now(), s.Time, time.Minute)

	text := runKit(t, "stats", "busy")
	require.Zero(t, text.exit, text.err)
	lines := strings.Split(text.out, "\n")
	require.Regexp(t, `^container busy: process [0-9]+, running$`, lines[0])
	require.Regexp(t, `^  cpu       [0-9.]+ CPUs now, no limit \(cpu[^)]+\); [0-9.]+ s used, `+
		`[0-9.]+ of it in the kernel$`, lines[1])
	require.Regexp(t, `^  memory    .*B now, .*B at the peak, no limit \(memory[^)]*\)$`, lines[2])
	require.Contains(t, text.out, "  pids      1 now, 1 at the peak, no limit (pids.max); 0 forks ")
	require.Contains(t, text.out, "  cgroups   "+dirs[0]+"\n            "+dirs[1]+"\n")

	table := strings.Split(runKit(t, "stats").out, "\n")
	require.Regexp(t, `^NAME +CPUS +LIMIT +MEMORY +LIMIT +PIDS +LIMIT +THROTTLED +OOM `, table[0])
	require.Regexp(t, `^busy +[01]\.[0-9]+ +- +.*B +- +1 +- +0/0 +0  running$`, table[1])

	watch := exec.Command("kit", "stats", "--watch", "--json", "busy")
	out, err := watch.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, watch.Start())
	records := newLineReader(out)
	records.expect(t, "\n")
	records.expect(t, "\n")
	require.NoError(t, kit.Process.Signal(unix.SIGTERM))
	require.Equal(t, 9, kit.exit(t))
	require.NoError(t, watch.Wait(), "it ends with the container")
}

// TestStatsOfStep3 looks at a container that has its cgroups from the step itself,
// and stops it.
func TestStatsOfStep3(t *testing.T) {
	ktest.Root(t)
	hierarchy(t, "memory")
	hierarchy(t, "pids")
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	load, _ := startLoad(t, "step", "3", "--trace=off", "--rootfs", root, "--name", "limited",
		"--memory", "64m", "--pids-limit", "20", "--cpus", "0.2",
		"--", "/bin/kit", "lab", "burn", "--report", "0.1")
	require.Eventually(t, func() bool { return *statsOf(t, "limited").CPU.Throttled > 2 },
		10*time.Second, 10*time.Millisecond)
	s := statsOf(t, "limited")
	require.InDelta(t, 0.2, *s.CPU.Limit.Limit, 1e-9)
	require.EqualValues(t, 64<<20, *s.Memory.Limit.Limit)
	require.EqualValues(t, 20, *s.Pids.Limit.Limit)
	require.NotZero(t, *s.Memory.Current)
	require.NotZero(t, *s.Pids.Current)

	require.Zero(t, runKit(t, "pause", "limited").exit)
	before := *statsOf(t, "limited").CPU.Usage
	time.Sleep(300 * time.Millisecond)
	require.InDelta(t, before, *statsOf(t, "limited").CPU.Usage, 0.005, "its time stands still")
	require.Contains(t, runKit(t, "stats").out, "  paused\n")
	require.Zero(t, runKit(t, "resume", "limited").exit)
	require.Eventually(t, func() bool { return *statsOf(t, "limited").CPU.Usage > before+0.05 },
		10*time.Second, 10*time.Millisecond)
	require.NoError(t, load.Process.Signal(unix.SIGTERM))
	require.Equal(t, 143, load.exit(t))
}
