package syscalls

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func packed(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, binary.Write(&b, binary.NativeEndian, v))
	return b.Bytes()
}

// TestFilled: what the kernel fills in is an address before, and words after.
func TestFilled(t *testing.T) {
	device := unix.Stat_t{Mode: unix.S_IFCHR | 0o666, Rdev: unix.Mkdev(1, 3)}
	memory := fake{
		0x1000: packed(t, &unix.Stat_t{Mode: unix.S_IFREG | 0o644, Uid: 1000, Size: 7}),
		0x2000: packed(t, &unix.Statfs_t{Type: unix.CGROUP2_SUPER_MAGIC}),
		0x3000: packed(t, &device),
		0x4000: packed(t, &unix.Statfs_t{Type: 0x1234}),
		0x5000: packed(t, []unix.PollFd{{Fd: 5, Events: unix.POLLIN, Revents: unix.POLLHUP}}),
		0x6000: packed(t, &unix.RawSockaddrNetlink{Family: unix.AF_NETLINK, Pid: 7}),
		0x7000: words32(12),
		0x7100: words32(0),
		0x7200: words32(4),
	}
	for _, c := range []struct {
		kind, before, after string
		args                [6]uint64
	}{
		{
			"stat", "0x1000", "{st_mode: S_IFREG|0644, st_uid: 1000, st_gid: 0, st_size: 7}",
			[6]uint64{0x1000},
		},
		{
			"stat", "0x3000",
			"{st_mode: S_IFCHR|0666, st_uid: 0, st_gid: 0, st_rdev: makedev(1, 3)}",
			[6]uint64{0x3000},
		},
		{"stat", "0xbad", "0xbad", [6]uint64{0xbad}},
		{"stat", "NULL", "NULL", [6]uint64{}},
		{"statfs", "0x2000", "{f_type: CGROUP2_SUPER_MAGIC}", [6]uint64{0x2000}},
		{"statfs", "0x4000", "{f_type: 0x1234}", [6]uint64{0x4000}},
		{
			"pollfds", "[{fd: 5</tmp/file>, events: POLLIN}]",
			"[{fd: 5</tmp/file>, events: POLLIN, revents: POLLHUP}]",
			[6]uint64{0x5000, 1},
		},
		{"pollfds", "[]", "[]", [6]uint64{}},
		{"sockout", "0x6000", "{AF_NETLINK, pid: 7}", [6]uint64{0x6000, 0x7000}},
		{"sockout", "0x6000", "{}", [6]uint64{0x6000, 0x7100}},
		{"sockout", "NULL", "NULL", [6]uint64{}},
		{"optout", "0x7000", "[12]", [6]uint64{0x7000, 0x7200}},
		{"optout", "0x6000", "0x6000", [6]uint64{0x6000, 0x7000}},
	} {
		f := &Frame{Args: c.args, Memory: memory}
		p := Param{Kind: c.kind}
		require.True(t, p.Out(), c.kind)
		require.Equal(t, c.before, p.Text(f, 0))
		f.Returned, f.Return = true, 1
		require.Equal(t, c.after, p.Text(f, 0))
	}
}

// TestByOperation: what an argument means depends on another one.
func TestByOperation(t *testing.T) {
	memory := fake{
		0x1000: words64(1, 500),
		0x2000: words32(unix.LINUX_CAPABILITY_VERSION_3, 0),
		0x3000: words32(1),
		0x4000: []byte("y"),
	}
	for _, c := range []struct {
		kind, want string
		i          int
		args       [6]uint64
	}{
		{"fcntlarg", "O_RDWR|O_NONBLOCK", 2, [6]uint64{3, unix.F_SETFL, unix.O_RDWR | unix.O_NONBLOCK}},
		{"fcntlarg", "FD_CLOEXEC", 2, [6]uint64{3, unix.F_SETFD, 1}},
		{"fcntlarg", "F_SEAL_SHRINK|F_SEAL_GROW", 2, [6]uint64{3, unix.F_ADD_SEALS, 6}},
		{"fcntlarg", "10", 2, [6]uint64{3, unix.F_DUPFD_CLOEXEC, 10}},
		{"fcntlarg", "0x1000", 2, [6]uint64{3, unix.F_SETLK, 0x1000}},
		{"timespec", "{tv_sec: 1, tv_nsec: 500}", 0, [6]uint64{0x1000}},
		{"timespec", "NULL", 0, [6]uint64{}},
		{"caphdr", "{version: _LINUX_CAPABILITY_VERSION_3, pid: 0}", 0, [6]uint64{0x2000}},
		{"opt", "[1]", 3, [6]uint64{3, 1, 2, 0x3000, 4}},
		{"opt", "0x3000", 3, [6]uint64{3, 1, 2, 0x3000, 8}},
		{"xattr", `"y"`, 2, [6]uint64{3, 0, 0x4000, 1}},
		{"ptid", "unused", 2, [6]uint64{unix.CLONE_NEWNS, 0, 0x1000}},
		{"ptid", "0x1000", 2, [6]uint64{unix.CLONE_PARENT_SETTID, 0, 0x1000}},
		{"mode", "S_IFDIR|0755", 0, [6]uint64{unix.S_IFDIR | 0o755}},
		{"statx", "STATX_BASIC_STATS|STATX_MNT_ID", 0, [6]uint64{0x17ff}},
		{"reboot", "LINUX_REBOOT_CMD_POWER_OFF", 0, [6]uint64{unix.LINUX_REBOOT_CMD_POWER_OFF}},
	} {
		f := &Frame{Args: c.args, Memory: memory}
		require.Equal(t, c.want, Param{Kind: c.kind}.Text(f, c.i), "%+v", c)
	}
}
