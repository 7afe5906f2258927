package probe

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestMain makes the test binary end at once where it is the probe itself, and
// print what a trial finds out where it is asked to go somewhere first.
func TestMain(m *testing.M) {
	if os.Getenv("KIT_ROLE") == "probe" {
		os.Exit(0)
	}
	prepare, ok := places()[os.Getenv("PROBE_PLACE")]
	if !ok {
		os.Exit(m.Run())
	}
	if err := prepare(); err != nil {
		fmt.Println("prepare:", err)
		os.Exit(1)
	}
	fmt.Println(UserNamespaces())
	os.Exit(0)
}

// places are where user namespaces are not to be had.
func places() map[string]func() error {
	return map[string]func() error{
		"limit": func() error {
			return os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0)
		},
		"chroot":   chrootWithProc,
		"seccomp":  denyClone,
		"no proc":  func() error { return unix.Mount("tmpfs", "/proc", "tmpfs", 0, "") },
		"unmapped": func() error { return nil },
	}
}

// chrootWithProc goes to a directory that shows /proc and nothing else.
func chrootWithProc() error {
	dir := os.Getenv("PROBE_DIR")
	if err := os.Mkdir(dir+"/proc", 0o755); err != nil {
		return err
	}
	if err := unix.Mount("/proc", dir+"/proc", "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	return unix.Chroot(dir)
}

// denyClone filters clone(2) as docker does: EPERM with CLONE_NEWUSER.
func denyClone() error {
	const load, jump, ret = unix.BPF_LD | unix.BPF_ABS, unix.BPF_JMP, unix.BPF_RET
	const nr, flags = 0, 16 // offsets in struct seccomp_data; the low half of the first argument
	filter := []unix.SockFilter{
		{Code: load, K: nr},
		{Code: jump | unix.BPF_JEQ, Jf: 3, K: unix.SYS_CLONE},
		{Code: load, K: flags},
		{Code: jump | unix.BPF_JSET, Jf: 1, K: unix.CLONE_NEWUSER},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return errno
	}
	return nil
}

// in runs a trial in a place, as root of a user namespace, where everybody may
// make such a place, and returns what it printed.
func in(t *testing.T, place string, size int) string {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{"PROBE_PLACE=" + place, "PROBE_DIR=" + t.TempDir()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS}
	if size > 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: size}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: size}}
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func TestUserNamespaces(t *testing.T) {
	require.NoError(t, UserNamespaces())
	require.NoError(t, Namespaces(unix.CLONE_NEWUSER|unix.CLONE_NEWPID|unix.CLONE_NEWUTS))
}

func TestWhereThereAreNone(t *testing.T) {
	for place, want := range map[string]string{
		"limit":   "user namespace: no space left on device: user.max_user_namespaces is 0\n",
		"chroot":  "user namespace: operation not permitted: kit runs inside a chroot\n",
		"seccomp": "seccomp filter",
		"no proc": "user namespace: no such file or directory: there is no /proc here\n",
	} {
		t.Run(place, func(t *testing.T) { require.Contains(t, in(t, place, 1), want) })
	}
	t.Run("unmapped", func(t *testing.T) {
		require.Contains(t, in(t, "unmapped", 0), "your uid or gid does not exist in this user namespace")
	})
}

func TestWithoutRootOrUserNamespace(t *testing.T) {
	err := Namespaces(unix.CLONE_NEWUTS)
	if thisMachine().root {
		require.NoError(t, err)
		return
	}
	require.EqualError(t, err, "new namespaces: operation not permitted: you are not root here")
}

func TestNothingIsDone(t *testing.T) {
	before, err := os.Readlink("/proc/self/ns/user")
	require.NoError(t, err)
	require.NoError(t, UserNamespaces())
	after, err := os.Readlink("/proc/self/ns/user")
	require.NoError(t, err)
	require.Equal(t, before, after)
}
