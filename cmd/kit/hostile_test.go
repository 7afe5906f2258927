//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// TestHostileRootfs: what lies in a root file system may lead anywhere, since a container
// of step 1 to 3 can write there. Nothing is made, written or mounted on the host by it,
// and nothing waits for ever.
func TestHostileRootfs(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	outside := ktest.PublicDir(t)
	require.NoError(t, os.WriteFile(filepath.Join(outside, "file"), []byte("kept"), 0o644))
	before := tree(t, outside)
	for _, name := range []string{
		"etc/hosts", "etc/resolv.conf", "etc/hostname", "proc", "sys", "dev", "mnt", "mnt/x", "tmp",
	} {
		for _, kind := range []string{
			outside, outside + "/file", "/../../../.." + outside, "FIFO", "loop",
		} {
			dir := filepath.Join(ktest.PublicDir(t), "root")
			require.NoError(t, exec.Command("cp", "-a", root, dir).Run())
			put(t, filepath.Join(dir, name), kind)
			for _, step := range []int{1, 2, 6} {
				flags := []string{"--workdir", "/tmp"}
				if step > 1 {
					flags = append(flags, "--volume", filepath.Join(root, "bin")+":/mnt/x/y")
				}
				r := runKit(t, untraced(step, dir, "echo in", flags...)...)
				what := fmt.Sprintf("step %d, %s is %s: exit %d: %s", step, name, kind, r.exit, r.err)
				require.Contains(t, []int{0, 125}, r.exit, what)
				require.True(t, r.exit == 125 && r.err != "" || r.out == "in\n", what)
				require.Equal(t, before, tree(t, outside), what)
			}
			require.NoError(t, os.RemoveAll(dir))
		}
	}
}

// put makes a FIFO, a link to itself, or a link to kind.
func put(t *testing.T, path, kind string) {
	t.Helper()
	require.NoError(t, os.RemoveAll(path))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	switch kind {
	case "FIFO":
		require.NoError(t, unix.Mkfifo(path, 0o666))
	case "loop":
		require.NoError(t, os.Symlink(filepath.Base(path), path))
	default:
		require.NoError(t, os.Symlink(kind, path))
	}
}

// tree lists a directory with all that chmod, chown, write and mount change.
func tree(t *testing.T, dir string) (list []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		var st unix.Stat_t
		if err == nil {
			err = unix.Lstat(path, &st)
		}
		list = append(list, fmt.Sprintln(path, st.Dev, st.Ino, st.Mode, st.Uid, st.Size, st.Mtim))
		return err
	}))
	return list
}

// TestFileModes: what kit writes about a container, in which its arguments and its
// environment are, is for the user only, also where nothing else is.
func TestFileModes(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	mask := unix.Umask(0)
	defer unix.Umask(mask)
	trace, page := filepath.Join(os.TempDir(), "trace"), filepath.Join(os.TempDir(), "page.html")
	kit := start(t, "step", "6", "--rootfs", root, "--name", "box", "--trace-file", trace,
		"--report", page, "--", "/bin/sh", "-c", "echo ready; exec cat")
	modes := func(path string) string {
		info, err := os.Stat(path)
		require.NoError(t, err)
		return fmt.Sprintf("%04o", info.Mode().Perm())
	}
	state, cache := os.Getenv("KIT_STATE"), os.Getenv("KIT_CACHE")
	for _, dir := range []string{state, filepath.Join(state, "box.net"), cache, containersDir()} {
		require.Equal(t, "0700", modes(dir), dir)
	}
	require.Equal(t, "0600", modes(filepath.Join(state, "box.json")))
	require.Zero(t, kit.end(t))
	for _, file := range []string{trace, page} {
		require.Equal(t, "0600", modes(file), file)
		require.NoError(t, os.Remove(file))
	}
}
