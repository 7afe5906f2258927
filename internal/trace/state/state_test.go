package state

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/procfs"
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
		{"mount /", "shared:1", "private", ""},
		{"mount /proc", "proc rw,nosuid, private", "", ""},
		{"mount tmpfs[/a b] ro,nosuid", "/mnt/with space", "/new", ""},
		{"mount /dev", "", "tmpfs dev rw,nosuid, unbindable", ""},
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
		{"/proc/9/status Uid", "0 0 0 0", "7 7 7 7", ""},
		{"/proc/9/status CapEff", "all", "none", "lost all"},
		{"/proc/9/status NoNewPrivs", "0", "1", ""},
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
	pid := os.Getpid()
	for _, file := range []string{
		"/proc/12/uid_map", "/proc/12/task/12/gid_map", "/proc/sys/kernel/hostname",
		"/proc/1/timens_offsets",
	} {
		require.True(t, Tells(pid, 0, file), file)
	}
	for _, file := range []string{"/tmp/uid_map", "/proc/12/mem", "pipe:[1]", ""} {
		require.False(t, Tells(pid, 0, file), file)
	}
	mounts, err := procfs.CgroupMounts()
	require.NoError(t, err)
	for _, m := range mounts {
		f, err := os.Open(m.Dir + "/cgroup.procs")
		require.NoError(t, err)
		require.True(t, Tells(pid, int(f.Fd()), f.Name()), f.Name())
		f.Close()
	}
}

func TestIDMaps(t *testing.T) {
	maps := ReadIDMaps(os.Getpid())
	require.NotEmpty(t, maps[0].Value)
	require.Empty(t, maps.Diff(maps))
}

func TestCapabilitiesInShort(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"3", "1", "lost CAP_DAC_OVERRIDE"},
		{"0", "1", "gained CAP_CHOWN"},
		{"ff", "1", "lost 7, has 1: CAP_CHOWN"},
		{"1", "0", "lost all"},
		{"1", "2", "lost CAP_CHOWN; gained CAP_DAC_OVERRIDE"},
	} {
		require.Equal(t, c.want, inShort("CapBnd", c.before, c.after))
	}
	require.Empty(t, inShort("Seccomp", "0", "2"))
}

func TestGrouped(t *testing.T) {
	require.Equal(t, "4 files: cgroup.* (2) memory.max tasks",
		grouped([]string{"cgroup.procs", "tasks", "cgroup.kill", "memory.max"}))
}

// TestSubtreeControl: controllers that are handed out show as files of the cgroups
// below.
func TestSubtreeControl(t *testing.T) {
	dir := t.TempDir()
	control := dir + "/cgroup.subtree_control"
	require.NoError(t, os.WriteFile(control, []byte("cpu\n"), 0o600))
	require.NoError(t, os.Mkdir(dir+"/kit", 0o700))
	read := func() File {
		return readCgroupFile(os.Getpid(), control, control, "+pids", CgroupV2)
	}
	before := read()
	require.NoError(t, os.WriteFile(control, []byte("cpu pids\n"), 0o600))
	for _, name := range []string{"pids.max", "pids.current"} {
		require.NoError(t, os.WriteFile(dir+"/kit/"+name, nil, 0o600))
	}
	require.Equal(t, []Change{
		{control, "cpu", "cpu pids", ""},
		{"the cgroups below", "", "pids.current pids.max", "2 files: pids.* (2)"},
	}, before.Diff(read()))
}

func TestLinesInShort(t *testing.T) {
	require.Equal(t, "- c 1:3 rwm, + b 8:0 r",
		linesInShort("c 1:3 rwm, c 1:5 rwm", "c 1:5 rwm, b 8:0 r"))
	require.Empty(t, linesInShort("max", "50"))
	require.Empty(t, linesInShort("", "a, b"))
}

func TestV2Names(t *testing.T) {
	require.Equal(t, "/x/memory.limit_in_bytes (v2: memory.max)",
		both("/x/memory.limit_in_bytes", CgroupV1))
	require.Equal(t, "/x/memory.max", both("/x/memory.max", CgroupV2))
	require.Equal(t, "/x/pids.max", both("/x/pids.max", CgroupV1))
}

func TestNetDiff(t *testing.T) {
	a := Net{links: map[string]string{"lo": "down", "veth0": "up"}}
	a.addRoutes([]byte("Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n" +
		"veth0\t00000000\t0100580A\t0003\t0\t0\t0\t00000000\n"))
	b := Net{links: map[string]string{"lo": "up", "kit0": "down"}}
	b.addRoutes([]byte("kit0\t0000580A\t00000000\t0001\t0\t0\t0\t0000FFFF\n"))
	b.addAddresses6([]byte("fe800000000000000000000000000001 02 40 20 80 kit0\n"))
	require.Equal(t, []Change{
		{"link lo", "down", "up", ""},
		{"link veth0", "up", "", ""},
		{"link kit0", "", "down", ""},
		{"default route", "via 10.88.0.1 dev veth0", "", ""},
		{"route to 10.88.0.0/16", "", "dev kit0", ""},
		{"address of kit0", "", "fe80::1/64", ""},
	}, a.Diff(&b, ""))
}
