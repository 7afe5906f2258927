package rootfs_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// TestMadeOnce checks what a second start does with the default root file system: it
// changes no file of it, and opens none of the machine's tools that it was made from.
func TestMadeOnce(t *testing.T) {
	ktest.RequireTool(t, "strace")
	kit := ktest.Kit(t)
	dir := ktest.PublicDir(t)
	t.Setenv("KIT_CACHE", filepath.Join(dir, "cache"))
	t.Setenv("KIT_STATE", filepath.Join(dir, "state"))
	start := func(args ...string) string {
		cmd := exec.Command(args[0], args[1:]...)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		require.NoError(t, cmd.Run(), "%v: %s", args, &stderr)
		return stderr.String()
	}
	step := []string{kit, "step", "2", "--trace=off", "--", "/bin/true"}
	require.Contains(t, start(step...), "making the default root file system")
	made := inodes(t, filepath.Join(dir, "cache"))
	require.Greater(t, len(made), 200)

	require.Empty(t, start(step...))
	require.Equal(t, made, inodes(t, filepath.Join(dir, "cache")))

	log := filepath.Join(dir, "opened")
	start("strace", "-f", "-e", "trace=open,openat,openat2", "-o", log,
		kit, "step", "1", "--trace=off", "--", "/bin/kit", "--help") // it needs no library
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Contains(t, string(text), "cache/roots/default/sources", "it looks into its list")
	tools := regexp.MustCompile(`open\w*\(.*"(/usr)?/(bin|sbin|lib|lib64)/[^"]*"`)
	require.Empty(t, tools.FindAllString(string(text), -1), "the machine's tools and libraries")
	// Of the files made of them it opens one: the shell, to see that it is of this machine.
	shell, err := filepath.EvalSymlinks(filepath.Join(dir, "cache/roots/default/root/bin/sh"))
	require.NoError(t, err)
	files := regexp.MustCompile(`open\w*\(.*"(` + regexp.QuoteMeta(dir) +
		`/cache/roots/default/root/[^"]+)", (.*)\) = `)
	for _, m := range files.FindAllStringSubmatch(string(text), -1) {
		require.Equal(t, shell, m[1])
		require.Contains(t, m[2], "O_RDONLY")
	}
	require.Equal(t, made, inodes(t, filepath.Join(dir, "cache")))
}

// inodes are all files below a directory, with what changes when one is written, replaced,
// or given to somebody else. To be read is no change.
func inodes(t *testing.T, dir string) map[string]unix.Stat_t {
	t.Helper()
	all := map[string]unix.Stat_t{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var s unix.Stat_t
		err = unix.Lstat(path, &s)
		s.Atim = unix.Timespec{}
		all[path] = s
		return err
	}))
	return all
}
