package syscalls

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// fake is a memory of some bytes at some addresses.
type fake map[uint64][]byte

func (m fake) Read(addr uint64, buf []byte) int {
	for base, data := range m {
		if addr >= base && addr < base+uint64(len(data)) {
			return copy(buf, data[addr-base:])
		}
	}
	return 0
}

func (m fake) String(addr uint64) (string, bool) {
	buf := make([]byte, 64)
	s, _, ok := strings.Cut(string(buf[:m.Read(addr, buf)]), "\x00")
	return s, ok
}

func (m fake) Path(fd int) string {
	if fd == 5 {
		return "/tmp/file"
	}
	return ""
}

func words64(list ...uint64) (out []byte) {
	for _, w := range list {
		out = binary.NativeEndian.AppendUint64(out, w)
	}
	return out
}

func words32(list ...uint32) (out []byte) {
	for _, w := range list {
		out = binary.NativeEndian.AppendUint32(out, w)
	}
	return out
}

func TestTableIsSorted(t *testing.T) {
	require.True(t, slices.IsSortedFunc(table[:], func(a, b Call) int {
		return strings.Compare(a.Name, b.Name)
	}))
}

func TestTableKnowsItsKinds(t *testing.T) {
	plain := strings.Fields("int uint fdnum id fd dirfd mode cmode dev signal clone sock open " +
		"ptr tid hex rest")
	for _, c := range table {
		require.LessOrEqual(t, len(c.List()), 6, c.Name)
		for _, p := range c.List() {
			known := slices.Contains(plain, p.Kind) || flagsOf(p.Kind) != nil ||
				valuesOf(p.Kind) != nil || memoryOf(p.Kind) != nil
			require.True(t, known, "%s: %s", c.Name, p.Kind)
		}
		if capability, over := c.Capability(); capability != "" {
			require.Contains(t, capabilities, strings.TrimPrefix(capability, "CAP_"))
			require.Contains(t, []string{"user", "mnt", "uts", "initial"}, over)
		}
	}
}

func TestEveryNumberHasAName(t *testing.T) {
	require.Equal(t, "clone", Find(unix.SYS_CLONE).Name)
	require.Equal(t, "mount", Find(unix.SYS_MOUNT).Name)
	require.Equal(t, "io_uring_setup", Find(unix.SYS_IO_URING_SETUP).Name)
	require.Len(t, Find(unix.SYS_IO_URING_SETUP).List(), 6)
	require.Equal(t, "syscall_9999", Find(9999).Name)
	require.Equal(t, "syscall_-1", Find(-1).Name)
}

func TestText(t *testing.T) {
	memory := fake{
		0x1000: []byte("/proc\x00"),
		0x2000: words64(unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID, 0, 0, 0),
		0x3000: words64(unix.CLONE_NEWTIME, 0, 0, 0, uint64(unix.SIGCHLD), 0, 0, 0, 0, 0, 0),
		0x4000: words32(1<<unix.CAP_SYS_ADMIN, 0, 0, 0, 0, 0),
		0x5000: words64(0x1000, 0x1000, 0),
		0x6000: words32(3, 4),
		0x7000: words32(0x0300),
		0x8000: words64(0, 0, 0x8100, 1, 0x8200, 24, 0),
		0x8100: words64(0x1000, 5),
		0x8200: append(words64(20), words32(unix.SOL_SOCKET, unix.SCM_RIGHTS, 5, 0)...),
	}
	atFDCWD := uint64(0xffffffffffffff9c)
	for _, c := range []struct {
		kind, want string
		args       []uint64
	}{
		{"path", `"/proc"`, []uint64{0x1000}},
		{"path", "NULL", []uint64{0}},
		{"path", "0xbad", []uint64{0xbad}},
		{"buf", `"/pro"`, []uint64{0x1000, 4}},
		{"strings", `["/proc", "/proc"]`, []uint64{0x5000}},
		{"count", "/* 2 variables */", []uint64{0x5000}},
		{"mount", "MS_REC|MS_PRIVATE", []uint64{unix.MS_REC | unix.MS_PRIVATE}},
		{"mount", "MS_BIND|0x8000000000", []uint64{unix.MS_BIND | 1<<39}},
		{"umount", "MNT_DETACH", []uint64{unix.MNT_DETACH}},
		{"clone", "CLONE_NEWNS|CLONE_NEWPID|SIGCHLD", []uint64{
			unix.CLONE_NEWNS | unix.CLONE_NEWPID | uint64(unix.SIGCHLD),
		}},
		{"clone3", "{flags: CLONE_NEWTIME, exit_signal: SIGCHLD}", []uint64{0x3000}},
		{"ns", "CLONE_NEWTIME", []uint64{unix.CLONE_NEWTIME}},
		{"mount_attr", "{attr_set: MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID}", []uint64{0x2000}},
		{"capdata", "{effective: CAP_SYS_ADMIN, permitted: none, inheritable: none}", []uint64{0x4000}},
		{"open", "O_RDONLY|O_CLOEXEC", []uint64{unix.O_CLOEXEC}},
		{"open", "O_CLOEXEC|O_PATH", []uint64{unix.O_CLOEXEC | unix.O_PATH}},
		{"prot", "PROT_NONE", []uint64{0}},
		{"sock", "SOCK_STREAM|SOCK_CLOEXEC", []uint64{unix.SOCK_STREAM | unix.SOCK_CLOEXEC}},
		{"fd", "5</tmp/file>", []uint64{5}},
		{"fd", "-1", []uint64{0xffffffff}},
		{"dirfd", "AT_FDCWD", []uint64{atFDCWD}},
		{"dirfd", "AT_FDCWD", []uint64{0xffffff9c}},
		{"int", "-1", []uint64{0xffffffff}},
		{"id", "-1", []uint64{0xffffffff}},
		{"mode", "S_IFCHR|0666", []uint64{0o20666}},
		{"dev", "makedev(1, 3)", []uint64{unix.Mkdev(1, 3)}},
		{"signal", "SIGKILL", []uint64{9}},
		{"prctl", "PR_SET_NO_NEW_PRIVS", []uint64{unix.PR_SET_NO_NEW_PRIVS}},
		{"prctl", "12345", []uint64{12345}},
		{"fds", "[3, 4]", []uint64{0x6000}},
		{"msghdr", `{iov: "/", SCM_RIGHTS: [5</tmp/file>]}`, []uint64{0x8000}},
		{"wstatus", "exited 3", []uint64{0x7000}},
	} {
		f := &Frame{Memory: memory, Returned: true, Return: 1}
		copy(f.Args[:], c.args)
		require.Equal(t, c.want, Param{"x", c.kind}.Text(f, 0), c.kind)
	}
}

func TestPrctlArgumentDependsOnTheFirst(t *testing.T) {
	for op, want := range map[uint64]string{
		unix.PR_SET_PDEATHSIG: "SIGKILL", unix.PR_CAPBSET_DROP: "CAP_LINUX_IMMUTABLE", 4711: "9",
	} {
		f := &Frame{Args: [6]uint64{op, 9}, Memory: fake{}}
		require.Equal(t, want, Param{"arg2", "prctl2"}.Text(f, 1))
	}
}

func TestCapabilities(t *testing.T) {
	const all = 1<<len(capabilities) - 1
	require.Equal(t, "none", Capabilities(0))
	require.Equal(t, "all", Capabilities(all))
	require.Equal(t, "all but CAP_SYS_RESOURCE", Capabilities(all&^(1<<unix.CAP_SYS_RESOURCE)))
	require.Equal(t, "CAP_CHOWN CAP_KILL", Capabilities(1<<unix.CAP_CHOWN|1<<unix.CAP_KILL))
	require.Equal(t, unix.CAP_LAST_CAP, len(capabilities)-1)
}

func TestErrno(t *testing.T) {
	name, meaning := Errno(int64(unix.ENOENT))
	require.Equal(t, []string{"ENOENT", "no such file or directory"}, []string{name, meaning})
	name, _ = Errno(512)
	require.Equal(t, "ERESTARTSYS", name)
	name, _ = Errno(4000)
	require.Equal(t, "E4000", name)
}
