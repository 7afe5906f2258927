//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/cgroup"
	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/state"
	cgroups "github.com/containerkit/kit/steps/03-cgroups"
)

// TestCPUs gives a busy loop a fifth of a CPU.
func TestCPUs(t *testing.T) {
	needLimits(t, "cpu")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	kit := burn(t, root, "fifth", "--cpus", "0.2")
	require.InDelta(t, 0.2, cpuUse(t, 3*time.Second, "fifth")[0], 0.03)
	require.Zero(t, kit.end(t))
	count := "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done"
	r := runKit(t, untraced(3, root, count, "--cpus", "0.1")...)
	require.Regexp(t, `^kit: cpu: held back for [0-9.]+m?s, in \d+ of \d+ periods, `+
		`at the limit of 0.1 CPUs\n$`, r.err)
}

// TestCPUWeight has two containers want the same CPU.
func TestCPUWeight(t *testing.T) {
	needLimits(t, "cpu", "cpuset")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	cpu := strconv.Itoa(anyCPU(t))
	burn(t, root, "light", "--cpuset-cpus", cpu, "--cpu-weight", "512")
	burn(t, root, "heavy", "--cpuset-cpus", cpu, "--cpu-weight", "1024")
	use := cpuUse(t, 3*time.Second, "light", "heavy")
	require.InEpsilon(t, 2, use[1]/use[0], 0.1, "%v", use)
}

func TestCPUSet(t *testing.T) {
	needLimits(t, "cpuset")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	cpu := strconv.Itoa(anyCPU(t))
	out := inside(t, 3, root, "nproc; grep Cpus_allowed_list /proc/self/status", "--cpuset-cpus", cpu)
	require.Equal(t, "1\nCpus_allowed_list:\t"+cpu, out)
}

// TestMemory lets one container use more than it may, beside another.
func TestMemory(t *testing.T) {
	needLimits(t, "memory")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	neighbour := start(t, untraced(3, root, "echo ready; cat", "--memory", "64m")...)
	eat := "dd if=/dev/zero of=/dev/null bs=200M count=1"
	const killed = "kit: memory: the OOM killer ended 1 process at the limit of 64 MiB\n"
	r := runKit(t, untraced(3, root, "exec "+eat, "--memory", "64m")...)
	require.Equal(t, 137, r.exit)
	require.Equal(t, killed, r.err)
	r = runKit(t, untraced(3, root, eat+" 2>/dev/null; echo $?", "--memory", "64m", "--init")...)
	require.Equal(t, "137\n", r.out)
	require.Contains(t, r.err, killed)
	require.Empty(t, inside(t, 3, root, eat+" 2>/dev/null", "--memory", "400m"))
	require.Zero(t, neighbour.end(t), "the neighbour")
}

func TestMemoryReservation(t *testing.T) {
	needLimits(t, "memory")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	script := "cat /sys/fs/cgroup/memory.low || cat /sys/fs/cgroup/memory/memory.soft_limit_in_bytes"
	out := inside(t, 3, root, "("+script+") 2>/dev/null", "--memory-reservation", "20m")
	require.Equal(t, "20971520", out)
}

// TestPidsLimit counts how many processes a loop gets, of which the shell is one.
func TestPidsLimit(t *testing.T) {
	needLimits(t, "pids")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	script := "n=1; while [ $n -lt 40 ]; do sleep 100 & n=$((n+1)); echo $n; done"
	r := runKit(t, untraced(3, root, script, "--pids-limit", "20")...)
	lines := strings.Fields(r.out)
	require.NotZero(t, r.exit)
	require.Equal(t, "20", lines[len(lines)-1])
	require.Contains(t, r.err, "kit: pids: 1 fork failed at the limit of 20 tasks\n")
}

// TestWriteRate writes to a disk without the cache.
func TestWriteRate(t *testing.T) {
	ktest.Root(t) // to make a node of the disk
	needLimits(t, "io")
	ktest.RequireTool(t, "dd")
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	node := diskNode(t, root)
	script := "dd if=/dev/zero of=/x bs=256k count=$0 oflag=direct 2>/dev/null; rm /x"
	took := func(count string, flags ...string) time.Duration {
		args := append(untraced(3, root, script, flags...), count)
		begin := time.Now()
		r := runKit(t, args...)
		require.Zero(t, r.exit, r.err)
		return time.Since(begin)
	}
	free := took("12")
	held := took("12", "--device-write-bps", node+":1mb")
	// 3 MiB; the kernel may let the first of them through at once.
	require.Greater(t, held, free+1500*time.Millisecond)
	require.Less(t, held, free+6*time.Second)
}

func TestDevices(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	script := `[ "$(head -c 1 /dev/zero | wc -c)" = 1 ] && echo x >/dev/mine && echo ok`
	require.Equal(t, "ok", inside(t, 3, root, script, "--device", "/dev/null:/dev/mine"))
	require.Equal(t, "ok", inside(t, 3, root, "echo x >/dev/a/b/null && echo ok",
		"--device", "/dev/null:/dev/a/b/null:rw"))
}

// TestDevicesOfRoot makes nodes that are not to be opened.
func TestDevicesOfRoot(t *testing.T) {
	ktest.Root(t)
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	script := "mknod /dev/log1 c 1 11; mknod /dev/disk b 7 0; mknod /dev/full2 c 1 7; " +
		"head -c 1 /dev/log1; head -c 1 /dev/disk; head -c 1 /dev/full2 | wc -c"
	r := runKit(t, untraced(3, root, script)...)
	require.Equal(t, "1\n", r.out)
	require.Equal(t, 2, strings.Count(r.err, "Operation not permitted"), r.err)
	script = "(head -c 1 /dev/kmsg >/dev/null && echo read; echo x >/dev/kmsg) 2>&1"
	r = runKit(t, untraced(3, root, script, "--device", "/dev/kmsg:r")...)
	require.Regexp(t, "^read\n.*Operation not permitted\n$", r.out)
}

// TestCgroupNamespace looks at the cgroup from inside.
func TestCgroupNamespace(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	host, err := os.Readlink("/proc/self/ns/cgroup")
	require.NoError(t, err)
	out := inside(t, 3, root, "readlink /proc/self/ns/cgroup; cat /proc/self/cgroup")
	lines := strings.Split(out, "\n")
	require.NotEqual(t, host, lines[0])
	for _, line := range lines[1:] {
		require.True(t, strings.HasSuffix(line, ":/"), line)
	}
	script := "f=$(find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs); echo $f | wc -w; " +
		"for f in $f; do echo 1 >$f || echo kept; done"
	r := runKit(t, untraced(3, root, script)...)
	lines = strings.Fields(r.out)
	n, err := strconv.Atoi(lines[0])
	require.NoError(t, err)
	require.NotZero(t, n)
	require.Equal(t, n, strings.Count(r.out, "kept"), r.out+r.err)
}

// TestCgroupsAreCleared ends containers in ways that leave processes in them.
func TestCgroupsAreCleared(t *testing.T) {
	needLimits(t, "pids")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	script := "setsid sleep 1000 >/dev/null 2>&1 & echo done"
	for _, flags := range [][]string{nil, {"--pid=host"}, {"--init"}} {
		require.Equal(t, "done", inside(t, 3, root, script, flags...))
	}
}

// TestKilledKitLeavesItsCgroups, and the record is enough to remove them: from
// another process, and of a container whose processes are frozen.
func TestKilledKitLeavesItsCgroups(t *testing.T) {
	needLimits(t, "pids")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	t.Setenv("KIT_STATE", filepath.Join(ktest.PublicDir(t), "state"))
	for _, frozen := range []bool{false, true} {
		kit := start(t, untraced(3, root, "echo ready; cat", "--name", "left", "--pid=host")...)
		c := recorded(t, "left")
		require.NotEmpty(t, c.Cgroups)
		if frozen {
			_, err := cgroup.Freeze(c.Cgroups, 5*time.Second)
			require.NoError(t, err)
		}
		require.NoError(t, kit.Process.Kill())
		kit.exit(t)
		require.DirExists(t, c.Cgroups[0])
		require.NoError(t, cgroups.Step.After(c))
		for _, dir := range c.Cgroups {
			require.NoDirExists(t, dir)
		}
		require.NoError(t, cgroups.Step.After(c), "nothing is left to remove")
	}
}

// TestCgroupsOfAKilledKitAreTakenOver takes over the cgroups that it has left, not its limits.
func TestCgroupsOfAKilledKitAreTakenOver(t *testing.T) {
	needLimits(t, "pids")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	kit := start(t, untraced(3, root, "echo ready; cat", "--name", "again", "--pids-limit", "11")...)
	require.NoError(t, kit.Process.Kill())
	kit.exit(t)
	script := "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null"
	require.Eventually(t, func() bool { // the old processes may take a moment to end
		r := runKit(t, untraced(3, root, script, "--name", "again")...)
		return r.out == "max\n"
	}, 5*time.Second, 10*time.Millisecond)
}

// TestForeignCgroupIsKept has a cgroup of the container's name in use already.
func TestForeignCgroupIsKept(t *testing.T) {
	needLimits(t, "pids")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	other := start(t, untraced(3, root, "echo ready; cat", "--name", "same")...)
	c := recorded(t, "same")
	t.Setenv("KIT_STATE", filepath.Join(ktest.PublicDir(t), "state")) // where the name is free
	refused(t, 125, "file exists", untraced(3, root, "true", "--name", "same")...)
	for _, dir := range c.Cgroups {
		require.DirExists(t, dir)
	}
	require.Zero(t, other.end(t))
}

// burn starts a container that wants all the CPU time there is.
func burn(t *testing.T, root, name string, flags ...string) *running {
	t.Helper()
	script := "while :; do :; done & echo ready; cat"
	return start(t, untraced(3, root, script, append(flags, "--name", name)...)...)
}

// cpuUse measures how many CPUs each of the containers gets.
func cpuUse(t *testing.T, d time.Duration, names ...string) []float64 {
	t.Helper()
	begin, before := time.Now(), usage(t, names)
	time.Sleep(d)
	after, wall := usage(t, names), time.Since(begin).Seconds()
	for i := range after {
		after[i] = (after[i] - before[i]) / wall
	}
	return after
}

// usage reads the seconds of CPU time that containers have had.
func usage(t *testing.T, names []string) (seconds []float64) {
	t.Helper()
	for _, name := range names {
		stats, err := cgroup.Read(recorded(t, name).Cgroups)
		require.NoError(t, err)
		seconds = append(seconds, *stats.CPU.Usage)
	}
	return seconds
}

// recorded is a container as kit has written it down.
func recorded(t *testing.T, name string) *container.Container {
	t.Helper()
	s, err := state.Load(name)
	require.NoError(t, err)
	c := &container.Container{}
	require.NoError(t, json.Unmarshal(s.Container, c))
	return c
}

// needLimits skips the test where we may not limit anything by these controllers,
// which are those of v2, or where the kernel does not have them.
func needLimits(t *testing.T, controllers ...string) {
	t.Helper()
	for _, name := range controllers {
		if !mayLimit(t, name) {
			t.Skipf("no %s controller here that is ours: cgroups are delegated neither by root nor systemd",
				name)
		}
	}
}

func mayLimit(t testing.TB, name string) bool {
	own, err := procfs.Cgroups(0)
	require.NoError(t, err)
	mounts, err := procfs.CgroupMounts()
	require.NoError(t, err)
	for _, c := range own {
		for _, m := range mounts {
			dir, ok := m.CgroupDir(c)
			if !ok || !m.Holds(c) {
				continue
			}
			if os.Geteuid() == 0 && m.V2 {
				dir = m.Dir
			}
			has, v1 := []string{}, name
			if name == "io" {
				v1 = "blkio"
			}
			if m.V2 {
				text, _ := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
				has = strings.Fields(string(text))
			}
			found := slices.Contains(has, name) || slices.Contains(m.Controllers, v1)
			if found && unix.Access(dir+"/cgroup.procs", unix.W_OK) == nil {
				return true
			}
		}
	}
	return false
}

// anyCPU is one that we may run on.
func anyCPU(t *testing.T) int {
	t.Helper()
	var ours unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &ours))
	for cpu := range 1024 {
		if ours.IsSet(cpu) {
			return cpu
		}
	}
	return 0
}

// diskNode makes a node of the disk that a directory is on. Nobody need be able
// to open it.
func diskNode(t *testing.T, dir string) string {
	t.Helper()
	var found unix.Stat_t
	require.NoError(t, unix.Stat(dir, &found))
	number := strconv.Itoa(int(unix.Major(found.Dev))) + ":" + strconv.Itoa(int(unix.Minor(found.Dev)))
	sys, err := filepath.EvalSymlinks("/sys/dev/block/" + number)
	if err != nil {
		t.Skip("the files are on no disk of the machine's own: " + number)
	}
	if _, err := os.Stat(sys + "/partition"); err == nil {
		text, err := os.ReadFile(filepath.Dir(sys) + "/dev")
		require.NoError(t, err)
		number = strings.TrimSpace(string(text))
	}
	major, minor, _ := strings.Cut(number, ":")
	a, err := strconv.Atoi(major)
	require.NoError(t, err)
	b, err := strconv.Atoi(minor)
	require.NoError(t, err)
	node := filepath.Join(ktest.PublicDir(t), "disk")
	require.NoError(t, unix.Mknod(node, unix.S_IFBLK|0o600, int(unix.Mkdev(uint32(a), uint32(b)))))
	return node
}

// TestZeroIsNoLimit, as for docker.
func TestZeroIsNoLimit(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	inside(t, 3, root, "true", "--memory=0", "--memory-reservation=0", "--cpus=0", "--pids-limit=0")
	inside(t, 3, root, "true", "--pids-limit=-1")
}
