//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// hostDir is a directory of the host with one file in it, named a.
func hostDir(t testing.TB) string {
	t.Helper()
	dir := ktest.PublicDir(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("of the host"), 0o644))
	return dir
}

func TestVolume(t *testing.T) {
	root, dir := ktest.Rootfs(t), hostDir(t)
	ktest.Clean(t)
	out := inside(t, 2, root, "cat /new/deep/a; echo inside >/new/deep/b", "-v", dir+":/new/deep")
	require.Equal(t, "of the host", out)
	data, err := os.ReadFile(filepath.Join(dir, "b"))
	require.NoError(t, err)
	require.Equal(t, "inside\n", string(data))
	require.DirExists(t, filepath.Join(root, "new/deep"), "the target was made in the root")
	require.NoFileExists(t, filepath.Join(root, "new/deep/a"))
}

func TestVolumesInOrder(t *testing.T) {
	root, outer, inner := ktest.Rootfs(t), hostDir(t), hostDir(t)
	require.NoError(t, os.Mkdir(filepath.Join(outer, "sub"), 0o755))
	ktest.Clean(t)
	out := inside(t, 2, root, "ls /v /v/sub", "--volume", outer+":/v", "--volume="+inner+":/v/sub:rw")
	require.Equal(t, "/v:\na\nsub\n\n/v/sub:\na", out)
}

func TestFileVolume(t *testing.T) {
	root, dir := ktest.Rootfs(t), hostDir(t)
	ktest.Clean(t)
	file := filepath.Join(dir, "a")
	for _, target := range []string{"/etc/new/file", "/etc/passwd"} {
		out := inside(t, 2, root, "cat "+target, "-v", file+":"+target+":ro")
		require.Equal(t, "of the host", out)
	}
	link := filepath.Join(ktest.PublicDir(t), "link")
	require.NoError(t, os.Symlink(file, link))
	require.Equal(t, "of the host", inside(t, 2, root, "cat /x", "-v", link+":/x"))
}

// TestReadOnlyVolume has another file system mounted below the source, which a
// plain read-only bind mount would leave writable.
func TestReadOnlyVolume(t *testing.T) {
	ktest.RequireTool(t, "unshare", "mount")
	root, dir := ktest.Rootfs(t), hostDir(t)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
	ktest.Clean(t)
	script := `mount -t tmpfs sub "$1/sub" && exec kit step 2 --trace=off --rootfs "$0" -v "$1:/v:ro" \
		-- /bin/sh -c '(echo >/v/a) 2>&1; (echo >/v/sub/b) 2>&1; cat /v/a'`
	args := []string{"--mount", "/bin/sh", "-c", script, root, dir}
	if os.Geteuid() != 0 {
		args = append([]string{"--user", "--map-root-user"}, args...)
	}
	r := finish(t, exec.Command("unshare", args...))
	require.Equal(t, result{out: "/bin/sh: can't create /v/a: Read-only file system\n" +
		"/bin/sh: can't create /v/sub/b: Read-only file system\nof the host"}, r)
}

// TestVolumeTargetStaysInside gives kit root file systems with links that lead
// out, if the target is looked up anywhere but under the new root.
func TestVolumeTargetStaysInside(t *testing.T) {
	root, dir := ktest.Rootfs(t), hostDir(t)
	host := ktest.PublicDir(t) // no volume may appear here
	ktest.Clean(t)
	require.NoError(t, os.MkdirAll(filepath.Join(root, "run"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "var"), 0o755))
	for link, target := range map[string]string{
		"var/run":    "/run",
		"var/dotted": "../../../../../.." + host,
		"absolute":   host,
	} {
		_ = os.RemoveAll(filepath.Join(root, link))
		require.NoError(t, os.Symlink(target, filepath.Join(root, link)))
	}
	require.Equal(t, "of the host", inside(t, 2, root, "cat /run/x/a", "-v", dir+":/var/run/x"))
	for _, target := range []string{"/absolute/x", "/var/dotted/x", "/a/../../../..//absolute/x"} {
		r := runKit(t, untraced(2, root, "true", "-v", dir+":"+target)...)
		if r.exit != 0 {
			require.Equal(t, 125, r.exit)
			require.Contains(t, r.err, "kit: namespaces: volume ")
		}
		entries, err := os.ReadDir(host)
		require.NoError(t, err)
		require.Empty(t, entries, target)
	}
}
