package rootfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// small says which directory of the helper process is a small file system.
const small = "KIT_TEST_SMALL"

// opener makes the helper process open the default root file system.
const opener = "KIT_TEST_OPEN"

func TestMain(m *testing.M) {
	if os.Getenv(small) != "" {
		os.Exit(onSmallDisk())
	}
	if os.Getenv(opener) != "" {
		if _, err := Open("", io.Discard); err != nil {
			fmt.Println(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// onSmallDisk tries to open KIT_TEST_REF where KIT_CACHE is mounted as the
// options in KIT_TEST_SMALL say, and tells the error and what is left.
func onSmallDisk() int {
	dir := os.Getenv("KIT_CACHE")
	options := os.Getenv(small)
	var flags uintptr
	if options == "ro" {
		flags, options = unix.MS_RDONLY, ""
	}
	if err := unix.Mount("kit-test", dir, "tmpfs", flags, options); err != nil {
		fmt.Println("mount:", err)
		return 2
	}
	_, err := Open(os.Getenv("KIT_TEST_REF"), io.Discard)
	var e *Error
	if !errors.As(err, &e) {
		fmt.Println("opened:", err)
		return 2
	}
	fmt.Println(e)
	fmt.Println(strings.Join(e.Hints, "\n"))
	left, _ := filepath.Glob(dir + "/*")
	roots, _ := filepath.Glob(dir + "/roots/*")
	fmt.Println("left:", len(left), len(roots))
	return 0
}

func smallDisk(t *testing.T, options, ref string) string {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	dir := t.TempDir()
	cmd.Env = append(os.Environ(), small+"="+options, "KIT_CACHE="+dir, "KIT_TEST_REF="+ref)
	cmd.SysProcAttr = asRoot()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func TestFullDisk(t *testing.T) {
	out := smallDisk(t, "size=8m", "")
	require.Regexp(t, "^rootfs default: [^\n]*: no space left on device\nthe disk is full", out)
	require.Contains(t, out, "left: 2 0\n")
	require.Contains(t, out, "KIT_CACHE=")
}

func TestFullDiskAtImport(t *testing.T) {
	big := write(t, "big.tar", archive(t, entry{
		name: "big", kind: '0', body: strings.Repeat("kit is no good at packing\n", 1<<18),
	}))
	out := smallDisk(t, "size=4m", big)
	require.Regexp(t, "^rootfs "+big+`: [^\n]*: no space left on device`+"\n", out)
	require.Contains(t, out, "left: 2 0\n")
}

func TestReadOnlyCache(t *testing.T) {
	out := smallDisk(t, "ro", "")
	require.Regexp(t, "^rootfs default: mkdir [^\n]*: read-only file system\n", out)
	require.Contains(t, out, "KIT_CACHE=")
	require.Contains(t, out, "left: 0 0\n")
}

func TestNoHome(t *testing.T) {
	if os.Geteuid() == 0 {
		// The machine's root needs no home.
		dir, err := cacheDir()
		require.NoError(t, err)
		require.NotEmpty(t, dir)
		return
	}
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "KIT_CACHE"} {
		t.Setenv(name, "")
	}
	_, err := Open("", io.Discard)
	require.EqualError(t, err, "rootfs default: no place for it: "+
		"neither HOME, XDG_CACHE_HOME nor KIT_CACHE is set")
}

func TestBadReferences(t *testing.T) {
	newCache(t)
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	foreign := filepath.Join(t.TempDir(), "root")
	require.NoError(t, os.MkdirAll(filepath.Join(foreign, "bin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(foreign, "bin/sh"), s390x(), 0o755))
	for ref, want := range map[string]string{
		dir + "/none": "no such file or directory",
		"none":        "no such directory, archive or name",
		"..x":         "no such directory, archive or name",
		fifo:          "neither a directory nor a tar archive",
		t.TempDir():   "is an empty directory",
		foreign:       "its /bin/sh is for s390, this machine is " + arch(t),
	} {
		_, err := Open(ref, io.Discard)
		require.EqualError(t, err, "rootfs "+ref+": "+want)
		var e *Error
		require.ErrorAs(t, err, &e)
		require.NotEmpty(t, e.Hints, ref)
	}
}

// s390x is the beginning of an ELF header (elf(5)).
func s390x() []byte {
	head := make([]byte, 64)
	copy(head, "\x7fELF\x02\x02\x01")
	head[19] = 22
	return head
}

func arch(t *testing.T) string {
	var u unix.Utsname
	require.NoError(t, unix.Uname(&u))
	return unix.ByteSliceToString(u.Machine[:])
}

func TestForeignArchiveLeavesNothing(t *testing.T) {
	c := newCache(t)
	p := write(t, "x.tar", archive(t, entry{name: "bin/sh", kind: '0', body: string(s390x())}))
	_, err := Open(p, io.Discard)
	require.EqualError(t, err,
		"rootfs "+p+": its /bin/sh is for s390, this machine is "+arch(t))
	require.Empty(t, names(t, filepath.Join(c.dir, "roots")))
}

func TestDirectoryIsUsedAsItIs(t *testing.T) {
	c := newCache(t)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "real"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "real/x"), nil, 0o644))
	require.NoError(t, os.Symlink("real", filepath.Join(dir, "link")))
	r, err := Open(filepath.Join(dir, "link"), io.Discard)
	require.NoError(t, err)
	require.Equal(t, Root{Dir: filepath.Join(dir, "real")}, r)
	require.NoDirExists(t, c.dir)
}

// A kit that was killed while it made one leaves a directory for the next.
func TestKilledMakeIsSweptAway(t *testing.T) {
	c := newCache(t)
	left := filepath.Join(c.dir, "tmp-123/new/root/locked")
	require.NoError(t, os.MkdirAll(left, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(left, "x"), nil, 0o644))
	require.NoError(t, os.Chmod(left, 0o555))
	unlock, err := c.lock(io.Discard)
	require.NoError(t, err)
	unlock()
	require.Equal(t, []string{"lock", "roots"}, names(t, c.dir))
}

func TestKilledMake(t *testing.T) {
	c := newCache(t)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), opener+"=1")
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		begun, _ := filepath.Glob(c.dir + "/tmp-*/new/root/usr/bin")
		return len(begun) > 0
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	require.Empty(t, names(t, filepath.Join(c.dir, "roots")))

	r, err := Open("", io.Discard)
	require.NoError(t, err)
	require.Contains(t, inside(t, r.Dir, "echo whole"), "whole")
	require.Equal(t, []string{"lock", "roots"}, names(t, c.dir))
}

func TestNames(t *testing.T) {
	newCache(t)
	for name, want := range map[string]string{
		"default":     "is the name of the one made from this machine's tools",
		"default-old": "is the name of the one made from this machine's tools",
		"a/b":         "is no name for a root file system",
		"..":          "is no name for a root file system",
		"-x":          "is no name for a root file system",
	} {
		_, err := Import("-", name, nil, io.Discard)
		require.EqualError(t, err, "rootfs "+name+": "+want)
	}
	r, err := Open(write(t, "default.tar", exported(t)), io.Discard)
	require.NoError(t, err)
	require.Regexp(t, "^tar-", r.Name)
	_, err = Make("alpine", "", io.Discard)
	require.EqualError(t, err, `rootfs alpine: made from "alpine": only host and busybox are known`)
}

func TestErrorWraps(t *testing.T) {
	err := wrap("/x", &os.PathError{Op: "write", Path: "/y", Err: syscall.ENOSPC})
	require.EqualError(t, err, "rootfs /x: write /y: no space left on device")
	require.ErrorIs(t, err, syscall.ENOSPC)
}
