package state

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const mounts = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /proc rw,nosuid - proc proc rw
24 22 0:22 /a\040b /mnt/with\040space ro,nosuid shared:3 master:2 - tmpfs none rw
`

const later = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
24 22 0:22 /a\040b /new ro,nosuid shared:3 master:2 - tmpfs none rw
25 22 0:23 / /dev rw,nosuid unbindable - tmpfs dev rw,size=64k
`

func TestMountsDiff(t *testing.T) {
	require.Equal(t, []Change{
		{"mount /", "shared:1", "private"},
		{"mount /proc", "proc rw,nosuid, private", ""},
		{"mount tmpfs[/a b] ro,nosuid", "/mnt/with space", "/new"},
		{"mount /dev", "", "tmpfs dev rw,nosuid, unbindable"},
	}, newMounts([]byte(mounts)).Diff(newMounts([]byte(later))))
	require.Empty(t, newMounts([]byte(mounts)).Diff(newMounts([]byte(mounts))))
	require.Empty(t, newMounts(nil).Diff(newMounts(nil)))
	require.Empty(t, newMounts(nil).Diff(newMounts([]byte("not a mount\n"))))
	m, ok := newMounts([]byte(mounts)).At("/")
	require.True(t, ok)
	require.Equal(t, "shared:1", m.Propagation)
}

func TestStatusDiff(t *testing.T) {
	const before = "Name:\tkit\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nNStgid:\t412\t1\n" +
		"CapEff:\t000001ffffffffff\nNoNewPrivs:\t0\n"
	const after = "Name:\tother\nUid:\t7\t7\t7\t7\nGid:\t0\t0\t0\t0\nNStgid:\t412\t1\n" +
		"CapEff:\t0000000000000000\nNoNewPrivs:\t1\n"
	a, b := parseStatus([]byte(before)), parseStatus([]byte(after))
	require.Equal(t, []Change{
		{"/proc/9/status Uid", "0 0 0 0", "7 7 7 7"},
		{"/proc/9/status CapEff", "all", "none"},
		{"/proc/9/status NoNewPrivs", "0", "1"},
	}, a.Diff(&b, 9))
	require.Equal(t, []int{412, 1}, a.PIDs())
	var none Status
	require.Empty(t, none.Diff(&a, 9))
	require.Empty(t, none.PIDs())
}

func TestOfOneself(t *testing.T) {
	pid := os.Getpid()
	ns, status, links := ReadNamespaces(pid), ReadStatus(pid), ReadLinks(pid)
	require.Regexp(t, `^uts:\[\d+\]$`, ns.Of("uts"))
	require.Empty(t, ns.Of("none"))
	require.Equal(t, pid, status.PIDs()[len(status.PIDs())-1])
	require.Empty(t, ns.Diff(&ns, pid))
	require.Empty(t, links.Diff(&links, pid))
	require.Equal(t, ns.Of("user"), Owner(pid, "user"))
	if os.Geteuid() == 0 {
		require.Regexp(t, `^user:\[\d+\]$`, Owner(pid, "mnt"))
	}
	_, ok := ReadMounts(pid).At("/proc")
	require.True(t, ok)
	dir := t.TempDir()
	t.Chdir(dir)
	after := ReadLinks(pid)
	require.Equal(t, dir, links.Diff(&after, pid)[0].After)
}

func TestOfNobody(t *testing.T) {
	const gone = 1 << 30
	ns := ReadNamespaces(gone)
	require.Equal(t, Namespaces{}, ns)
	require.Equal(t, Status{}, ReadStatus(gone))
	require.Empty(t, Owner(gone, "mnt"))
	require.Empty(t, Cgroup(gone))
}

func TestTells(t *testing.T) {
	for _, file := range []string{
		"/proc/12/uid_map", "/proc/12/task/12/gid_map", "/proc/sys/kernel/hostname",
		"/sys/fs/cgroup/kit/cgroup.procs", "/proc/1/timens_offsets",
	} {
		require.True(t, Tells(file), file)
	}
	for _, file := range []string{"/tmp/uid_map", "/proc/12/mem", "pipe:[1]", ""} {
		require.False(t, Tells(file), file)
	}
}

func TestReadFileOfCgroup(t *testing.T) {
	pid := os.Getpid()
	f := ReadFile(pid, "/sys/fs/cgroup/unified/x/cgroup.procs", "0")
	require.Contains(t, f.What, "/cgroup")
	require.NotEmpty(t, f.Value)
	require.Equal(t, unix.Getpid(), pid)
	maps := ReadIDMaps(pid)
	require.NotEmpty(t, maps[0].Value)
	require.Empty(t, maps.Diff(maps))
}
