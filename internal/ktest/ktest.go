// Package ktest is what the tests of several packages share: what a test may
// need from the machine, a root file system, and the proof that nothing is left
// behind.
//
// The same tests are run twice, as root and as an ordinary user. A test that is
// about one of the two says so with Root or User, and is skipped in the other
// run. What a machine can be given, a tool for example, must be there where
// KIT_MUST_WORK=1 is set. What a kernel cannot do is never a failure.
package ktest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Root skips the test in the run as an ordinary user.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("about root: belongs to the run as root")
	}
}

// User skips the test in the run as root.
func User(t testing.TB) {
	t.Helper()
	if os.Geteuid() == 0 {
		t.Skip("about a user who is not root: belongs to the run as one")
	}
}

// RequireTool skips the test where one of the commands is not installed. With
// KIT_MUST_WORK=1 that is a failure.
func RequireTool(t testing.TB, commands ...string) {
	t.Helper()
	for _, command := range commands {
		if _, err := exec.LookPath(command); err != nil {
			Missing(t, command+" is not installed")
		}
	}
}

// Missing skips the test for the lack of something that the machine could have.
// With KIT_MUST_WORK=1 it fails.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("KIT_MUST_WORK") == "1" {
		t.Fatal("KIT_MUST_WORK=1: " + what)
	}
	t.Skip(what)
}

// RequireKernel skips the test on a kernel without a feature, which shows in
// the lack of a file such as /proc/self/ns/time.
func RequireKernel(t testing.TB, file string) {
	t.Helper()
	if _, err := os.Stat(file); err != nil {
		t.Skip("this kernel has no " + file)
	}
}

// RequireRelease skips the test on a kernel older than major.minor.
func RequireRelease(t testing.TB, major, minor int) {
	t.Helper()
	var u unix.Utsname
	require.NoError(t, unix.Uname(&u))
	release := unix.ByteSliceToString(u.Release[:])
	var have [2]int
	_, err := fmt.Sscanf(release, "%d.%d", &have[0], &have[1])
	require.NoError(t, err)
	if have[0] < major || have[0] == major && have[1] < minor {
		t.Skipf("this kernel is %s: too old", release)
	}
}

// Kit returns the path of the kit command: the test binary itself where
// TestMain has made it one, else one that is built.
func Kit(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("kit"); err == nil {
		return path
	}
	return Build(t, "github.com/containerkit/kit/cmd/kit")
}

// Build compiles a main package as it is delivered, static and trimmed, and
// returns the path of the program, which goes away with the test.
func Build(t testing.TB, pkg string, flags ...string) string {
	t.Helper()
	RequireTool(t, "go")
	program := filepath.Join(PublicDir(t), filepath.Base(pkg))
	require.NoError(t, build(program, pkg, flags...))
	return program
}

func build(program, pkg string, flags ...string) error {
	args := append([]string{"build", "-trimpath", "-o", program}, flags...)
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w: %s", pkg, err, out)
	}
	return nil
}

// PublicDir is like t.TempDir, but users other than the caller get there too:
// root of a remapped container is one.
func PublicDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	return dir
}

// Rootfs makes a root file system for this test alone, from busybox: a shell
// and some 270 small tools.
func Rootfs(t testing.TB) (dir string) {
	t.Helper()
	RequireTool(t, "busybox")
	return makeRootfs(t, "busybox")
}

// HostRootfs makes one from the machine's own tools, with bash: the default
// root file system. It takes half a second.
func HostRootfs(t testing.TB) (dir string) {
	t.Helper()
	return makeRootfs(t, "host")
}

func makeRootfs(t testing.TB, from string) string {
	t.Helper()
	cmd := exec.Command(Kit(t), "rootfs", "make", "--from", from, "--name", "test")
	cmd.Env = append(os.Environ(), "KIT_CACHE="+filepath.Join(PublicDir(t), "cache"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", stderr.String())
	// Out of the cache, which is for its owner only.
	dir := filepath.Join(PublicDir(t), "root")
	require.NoError(t, os.Rename(strings.TrimSpace(string(out)), dir))
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}
