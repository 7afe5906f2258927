package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/procfs"
)

// newGroup makes a cgroup that can limit tasks, and one in it for who moves.
func newGroup(t *testing.T) (dir string) {
	t.Helper()
	ktest.Root(t)
	mounts, err := procfs.CgroupMounts()
	require.NoError(t, err)
	for _, m := range mounts {
		enabled, _ := os.ReadFile(filepath.Join(m.Dir, "cgroup.subtree_control"))
		if !slices.Contains(append(m.Controllers, strings.Fields(string(enabled))...), "pids") {
			continue
		}
		dir = filepath.Join(m.Dir, "kit-check-"+strconv.Itoa(os.Getpid()))
		require.NoError(t, os.Mkdir(dir, 0o755))
		t.Cleanup(func() {
			require.Eventually(t, func() bool { return unix.Rmdir(dir) == nil },
				10*time.Second, 10*time.Millisecond)
		})
		return dir
	}
	ktest.Lacks(t, "cgroup")
	return ""
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

// TestGroup: a cgroup, then a limit; a child of one that was moved has none of its own.
func TestGroup(t *testing.T) {
	dir := newGroup(t)
	plain := t.TempDir()
	pid := start(t, exec.Command("sleep", "60"))
	write(t, filepath.Join(plain, "cgroup.procs"), strconv.Itoa(pid))
	write(t, filepath.Join(plain, "pids.max"), "10")
	names, items := gained(t, pid)
	require.Empty(t, names, "files in a plain directory")
	require.Contains(t, items["cgroup"].Hints[2], "write "+strconv.Itoa(pid)+" to its cgroup.procs")

	write(t, filepath.Join(dir, "cgroup.procs"), strconv.Itoa(pid))
	names, items = gained(t, pid)
	require.Equal(t, "cgroup", names)
	require.Equal(t, "no limit in "+filepath.Join(dir, "pids.max"), items["pids"].Got)
	require.Equal(t, "Write 64 to "+filepath.Join(dir, "pids.max")+".", items["pids"].Hints[2])

	write(t, filepath.Join(dir, "pids.max"), "64")
	names, items = gained(t, pid)
	require.Equal(t, "cgroup pids", names)
	require.Contains(t, items["pids"].Got, "64 tasks, by pids.max of /")

	// A limit that is more than what there can be is none.
	write(t, filepath.Join(dir, "pids.max"), "4194304")
	names, _ = gained(t, pid)
	require.Equal(t, "cgroup", names)
}

// TestGroupOfParent: whose parent is in the same cgroup, a process of the host's, has none
// of its own.
func TestGroupOfParent(t *testing.T) {
	dir := newGroup(t)
	write(t, filepath.Join(dir, "pids.max"), "64")
	cmd := exec.Command("sh", "-c", `echo $$ > "$1/cgroup.procs"; sleep 60; :`, "sh", dir)
	names, items := gained(t, start(t, cmd))
	require.Empty(t, names)
	require.Contains(t, items["cgroup"].Hints[1], "move the child, not who starts it")
}
