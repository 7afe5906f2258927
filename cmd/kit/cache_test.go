//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// TestCacheThatCannotBeWritten: a disk that is full while the root file system
// is made, and one that is read-only, are told in one line; nothing stays.
func TestCacheThatCannotBeWritten(t *testing.T) {
	ktest.RequireTool(t, "unshare", "mount")
	for _, c := range []struct{ options, message string }{
		{"size=1m", "no space left on device"},
		{"ro", "read-only file system"},
	} {
		t.Run(c.options, func(t *testing.T) {
			dir := ktest.PublicDir(t)
			// The disk is there for these processes only.
			script := "mount -t tmpfs -o " + c.options + " kit " + dir + " && " +
				"{ kit step 2 --trace=off -- /bin/true; echo status $?; " +
				"find " + dir + " -mindepth 1 ! -name lock ! -name roots; }"
			unshare := []string{"-m"}
			if os.Geteuid() != 0 {
				unshare = []string{"-r", "-m"}
			}
			cmd := exec.Command("unshare", append(unshare, "sh", "-c", script)...)
			cmd.Env = append(os.Environ(), "KIT_CACHE="+dir)
			var out, errs strings.Builder
			cmd.Stdout, cmd.Stderr = &out, &errs
			require.NoError(t, cmd.Run(), errs.String())
			require.Contains(t, errs.String(), c.message)
			require.Equal(t, 1, strings.Count(errs.String(), "kit: rootfs"), errs.String())
			require.Contains(t, errs.String(), "\nhint: ")
			require.Equal(t, "status 125\n", out.String(), "and nothing but the cache's frame")
		})
	}
}

// TestRootfsWithoutNetwork: the first start in a classroom without the Internet, where there
// is nothing but a loopback interface that is down.
func TestRootfsWithoutNetwork(t *testing.T) {
	ktest.RequireTool(t, "unshare")
	t.Setenv("KIT_CACHE", ktest.PublicDir(t))
	unshare := []string{"-n"}
	if os.Geteuid() != 0 {
		unshare = []string{"-Urnm"}
	}
	args := append(unshare, "kit", "step", "2", "--trace=off", "--", "/bin/sh", "-c", "echo $$")
	r := finish(t, exec.Command("unshare", args...))
	require.Zero(t, r.exit, r.err)
	require.Equal(t, "1\n", r.out)
	require.Contains(t, r.err, "making the default root file system")
}

// TestRootOfAnotherArchitecture is refused before anything is done.
func TestRootOfAnotherArchitecture(t *testing.T) {
	root := ktest.PublicDir(t)
	require.NoError(t, os.Mkdir(filepath.Join(root, "bin"), 0o755))
	program, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	foreign := program[:4096]
	foreign[18], foreign[19] = 22, 0 // e_machine of elf(5): EM_S390
	require.NoError(t, os.WriteFile(filepath.Join(root, "bin", "sh"), foreign, 0o755))
	out, err := exec.Command("kit", "step", "1", "--rootfs", root).CombinedOutput()
	require.Error(t, err)
	require.Regexp(t, `^kit: rootfs \S+: .*s390.*\n`, string(out))
	require.Equal(t, 1, strings.Count(string(out), "kit: "), string(out))
}
