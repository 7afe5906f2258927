package procfs

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func recorded(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func TestParseStatus(t *testing.T) {
	s, err := ParseStatus(recorded(t, "status_thread"))
	require.NoError(t, err)
	require.Equal(t, Status{
		Name: `a: b\nUid: 5`, State: 't', Tgid: 4711, Pid: 4713, PPid: 4700, TracerPid: 4699,
		Uid: [4]int{1000, 1000, 1001, 1000}, Gid: [4]int{100, 100, 100, 100},
		Groups: []int{4, 24, 100}, NSpid: []int{4713, 3}, Threads: 8,
		CapPrm: 0x1fffeffffff, CapEff: 0x1fffeffffff, CapBnd: 0x1ffffffffff, CapAmb: 0x400,
		NoNewPrivs: true, Seccomp: 2, SeccompFilters: 3,
	}, s)
}

func TestParseStatusOfAnOldKernel(t *testing.T) {
	s, err := ParseStatus(recorded(t, "status_linux_4.4"))
	require.NoError(t, err)
	require.Equal(t, Status{
		Name: "sh", State: 'S', Tgid: 12, Pid: 12, Threads: 1,
		CapPrm: 0x3fffffffff, CapEff: 0x3fffffffff, CapBnd: 0x3fffffffff,
	}, s)
}

func TestParseStatusRefuses(t *testing.T) {
	for _, text := range []string{
		"", "Pid 12\n", "Pid:\tx\n", "Pid:\t1\nUid:\t0 0 0\n", "Pid:\t1\nCapEff:\txyz\n",
		"Pid:\t1\nNSpid:\t1 a\n",
	} {
		_, err := ParseStatus(strings.NewReader(text))
		require.ErrorContains(t, err, "parse status", "%q", text)
	}
}

func TestParseCgroups(t *testing.T) {
	list, err := ParseCgroups(recorded(t, "cgroup_hybrid"))
	require.NoError(t, err)
	require.Equal(t, []Cgroup{
		{9, []string{"name=systemd"}, "/"},
		{8, []string{"pids"}, "/"},
		{4, []string{"memory"}, "/a:b/c"},
		{2, []string{"cpu", "cpuacct"}, "/"},
		{0, nil, "/user.slice/session-1.scope (deleted)"},
	}, list)
	require.Equal(t, "2:cpu,cpuacct:/", list[3].String())
	require.True(t, list[4].V2())
	_, err = ParseCgroups(strings.NewReader("0:/\n"))
	require.Error(t, err)
}

func TestParseIDMap(t *testing.T) {
	m, err := ParseIDMap(strings.NewReader("         0       1000          1\n" +
		"         1     100000      65536\n"))
	require.NoError(t, err)
	require.Equal(t, "0→1000 (1), 1→100000 (65536)", m.String())
	outside, ok := m.Outside(2)
	require.True(t, ok)
	require.Equal(t, uint32(100001), outside)
	_, ok = m.Outside(65537)
	require.False(t, ok)
	require.Equal(t, "none", IDMaps(nil).String())
	_, err = ParseIDMap(strings.NewReader("0 0\n"))
	require.Error(t, err)
}

func TestParseStatCountsFromTheLastParenthesis(t *testing.T) {
	s, err := parseStat(recorded(t, "stat"))
	require.NoError(t, err)
	require.Equal(t, stat{'S', 0x400000, 812345}, s)
	_, err = parseStat(strings.NewReader("12 (sh) S 1 2"))
	require.Error(t, err)
}

func TestParseLink(t *testing.T) {
	inode, err := parseLink("mnt:[4026531841]")
	require.NoError(t, err)
	require.Equal(t, uint64(4026531841), inode)
	for _, target := range []string{"", "mnt", "mnt:[", "mnt:[x]", "/proc/1"} {
		_, err := parseLink(target)
		require.Error(t, err, target)
	}
}

func TestCapNames(t *testing.T) {
	all := allCaps()
	const resource, admin = 1 << 24, 1 << 21
	require.Equal(t, "none", CapNames(0))
	require.Regexp(t, `^all \d\d$`, CapNames(all))
	require.Regexp(t, `^all \d\d but sys_admin, sys_resource$`, CapNames(all&^resource&^admin))
	require.Equal(t, "chown, net_raw", CapNames(1|1<<13))
	require.Equal(t, "chown, cap_63", CapNames(1|1<<63))
}

func TestMode(t *testing.T) {
	v2, memory := CgroupMount{V2: true}, CgroupMount{Controllers: []string{"memory"}}
	named := CgroupMount{Controllers: []string{"name=systemd"}}
	require.Equal(t, "v2", mode([]CgroupMount{v2}))
	require.Equal(t, "v2", mode([]CgroupMount{named, v2}))
	require.Equal(t, "hybrid", mode([]CgroupMount{v2, named, memory}))
	require.Equal(t, "v1", mode([]CgroupMount{named, memory}))
}

func TestControllers(t *testing.T) {
	require.Equal(t, []string{"cpu", "cpuacct"}, controllers("rw,cpu,cpuacct"))
	require.Equal(t, []string{"name=systemd"},
		controllers("rw,xattr,release_agent=/lib/systemd/systemd-cgroups-agent,name=systemd"))
}

func TestCgroupDir(t *testing.T) {
	m := CgroupMount{Dir: "/sys/fs/cgroup", Root: "/"}
	dir, ok := m.CgroupDir(Cgroup{Path: "/user.slice"})
	require.True(t, ok)
	require.Equal(t, "/sys/fs/cgroup/user.slice", dir)
	m.Root = "/docker/1"
	dir, ok = m.CgroupDir(Cgroup{Path: "/docker/1"})
	require.True(t, ok)
	require.Equal(t, "/sys/fs/cgroup", dir)
	_, ok = m.CgroupDir(Cgroup{Path: "/docker/12"})
	require.False(t, ok)
}
