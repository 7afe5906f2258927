package cgroups

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/sys/mountinfo"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/ktest"
)

func TestSettingsInBothLanguages(t *testing.T) {
	l := container.Limits{
		Memory: 64 << 20, MemoryLow: 20 << 20, CPUs: 0.2, CPUWeight: 512, CPUSet: "0-1", Pids: 20,
		IO: []container.IOLimit{{Major: 8, ReadBps: 5}, {Major: 8, Minor: 16, WriteBps: 1 << 20}},
	}
	require.Equal(t, []setting{
		{"memory.max", "67108864"},
		{"memory.swap.max", "0"},
		{"memory.low", "20971520"},
		{"cpu.max", "20000 100000"},
		{"cpu.weight", "512"},
		{"cpuset.cpus", "0-1"},
		{"pids.max", "20"},
		{"io.max", "8:0 rbps=5"},
		{"io.max", "8:16 wbps=1048576"},
	}, settings(l))
	require.Equal(t, []setting{
		{"memory.limit_in_bytes", "67108864"},
		{"memory.memsw.limit_in_bytes", "67108864"},
		{"memory.soft_limit_in_bytes", "20971520"},
		{"cpu.cfs_period_us", "100000"},
		{"cpu.cfs_quota_us", "20000"},
		{"cpu.shares", "5243"},
		{"cpuset.cpus", "0-1"},
		{"pids.max", "20"},
		{"blkio.throttle.read_bps_device", "8:0 5"},
		{"blkio.throttle.write_bps_device", "8:16 1048576"},
	}, settingsV1(l))
	require.Equal(t, []string{"cpu", "cpuset", "io", "memory", "pids"}, needs(l))
	require.Empty(t, needs(container.Limits{}))
}

// TestShares keeps the default the default, and the ratios.
func TestShares(t *testing.T) {
	require.EqualValues(t, 1024, shares(100))
	require.EqualValues(t, 10, shares(1))
	require.EqualValues(t, 102400, shares(10000))
	require.InEpsilon(t, 2, float64(shares(1024))/float64(shares(512)), 0.001)
}

// TestFind finds all the trees that are mounted here, and ourselves in them.
func TestFind(t *testing.T) {
	trees, err := find()
	require.NoError(t, err)
	if len(trees) == 0 {
		ktest.Lacks(t, "cgroups")
	}
	self := strconv.Itoa(os.Getpid())
	for _, tree := range trees {
		procs, err := words(tree.own + "/cgroup.procs")
		require.NoError(t, err)
		require.Contains(t, procs, self)
		require.Equal(t, tree.v2, isV2(tree.own))
		require.Equal(t, tree.v2, len(tree.controllers) == 0)
	}
}

func TestMembershipIsNotAt(t *testing.T) {
	memory := membership{controllers: []string{"memory"}}
	for _, mount := range []*mountinfo.Info{
		{FSType: "cgroup", VFSOptions: "rw,cpu,cpuacct", Mountpoint: "/proc"},
		{FSType: "cgroup2", Mountpoint: "/proc"},
		{FSType: "cgroup", VFSOptions: "rw,memory", Mountpoint: "/proc"}, // something else is over it
	} {
		for _, m := range []membership{memory, {}} {
			at, err := m.isAt(mount)
			require.NoError(t, err)
			require.False(t, at)
		}
	}
}

func TestBelow(t *testing.T) {
	for _, c := range []struct {
		path, root, rest string
		ok               bool
	}{
		{"/a/b", "/", "/a/b", true},
		{"/", "/", "", true},
		{"/a", "/a", "", true},
		{"/a/b", "/a", "/b", true},
		{"/ab", "/a", "b", false},
		{"/b", "/a", "", false},
		{"/../x", "/", "/../x", true},
	} {
		rest, ok := below(c.path, c.root)
		require.Equal(t, c.ok, ok, c)
		if ok {
			require.Equal(t, c.rest, rest, c)
		}
	}
}

func TestRules(t *testing.T) {
	list := rules([]container.Device{
		{Mode: unix.S_IFBLK | 0o600, Major: 8, Minor: 1, Access: "r"},
	})
	require.Equal(t, "c *:* m", list[0].String())
	require.Equal(t, "c 136:* rwm", list[len(list)-2].String())
	require.Equal(t, "b 8:1 r", list[len(list)-1].String())
}

// TestDeviceProgram has the kernel ask the program of v2 about devices.
func TestDeviceProgram(t *testing.T) {
	dir := testCgroup(t)
	require.NoError(t, filterDevices(dir, rules([]container.Device{
		{Mode: unix.S_IFCHR | 0o600, Major: 1, Minor: 11, Access: "r"},
	})))
	for command, works := range map[string]bool{
		": </dev/zero":     true,
		": >/dev/null":     true,
		": </dev/kmsg":     true,
		": >/dev/kmsg":     false, // only r was given
		": </dev/kvm":      false,
		": </dev/loop0":    false,
		": </dev/net/tun":  false,
		": </etc/hostname": true, // no device
	} {
		file := command[strings.IndexByte(command, '/'):]
		if _, err := os.Stat(file); err != nil {
			continue
		}
		out, err := in(t, dir, command).CombinedOutput()
		require.Equal(t, works, err == nil, "%s: %s", command, out)
		require.Equal(t, works, !strings.Contains(string(out), "not permitted"), command)
	}
}

// TestRemoveBusy removes a cgroup with processes in it and below it.
func TestRemoveBusy(t *testing.T) {
	dir := testCgroup(t)
	for _, d := range []string{dir, dir + "/a", dir + "/a/b"} {
		_ = os.Mkdir(d, 0o755)
		cmd := in(t, d, "sleep 1000")
		require.NoError(t, cmd.Start())
		defer func() { _ = cmd.Wait() }()
	}
	require.Equal(t, []string{"a"}, children(dir))
	c := &container.Container{Cgroups: []string{dir}}
	require.NoError(t, Step.After(c))
	require.NoDirExists(t, dir)
	require.NoError(t, Step.After(c))
}

// testCgroup makes a cgroup of v2, which a hybrid machine has, too.
func testCgroup(t *testing.T) string {
	t.Helper()
	ktest.Root(t)
	trees, err := find()
	require.NoError(t, err)
	for _, tree := range trees {
		if tree.v2 {
			dir, err := os.MkdirTemp(tree.top, "testkit-")
			require.NoError(t, err)
			t.Cleanup(func() { _ = removeBusy(dir, []string{dir}) })
			return dir
		}
	}
	t.Skip("no cgroup v2 is mounted here")
	return ""
}

// in is a shell command in a cgroup.
func in(t *testing.T, dir, command string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", command)
	f, err := os.Open(filepath.Clean(dir))
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(f.Fd())}
	return cmd
}
