package ktest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/sys/mountinfo"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Clean proves, at the end of the test, that the test's processes have left
// nothing behind: no mount, no process, no cgroup, no file where kit might put
// one. Until then HOME, TMPDIR and kit's own directories are empty ones of the test's own.
// No other process's tests do the same meanwhile. Not for parallel tests.
func Clean(t testing.TB) {
	t.Helper()
	haveMachine(t)
	home := PublicDir(t)
	for _, name := range []string{"HOME", "TMPDIR"} {
		t.Setenv(name, home)
	}
	for _, name := range []string{"KIT_CACHE", "KIT_STATE"} {
		t.Setenv(name, filepath.Join(home, name))
	}
	mounts, cgroups := Mounts(t), EmptyCgroups(t)
	// Orphans become our children, and so are seen.
	require.NoError(t, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	t.Cleanup(func() {
		left := Survivors(5 * time.Second)
		endAll(left)
		require.Empty(t, left, "processes left behind")
		require.Equal(t, mounts, Mounts(t), "mounts before and after")
		require.Eventually(t, func() bool {
			return len(slices.DeleteFunc(EmptyCgroups(t), func(dir string) bool {
				return slices.Contains(cgroups, dir)
			})) == 0
		}, 10*time.Second, 10*time.Millisecond, "cgroups left behind")
		require.Empty(t, filesBelow(t, home), "files left behind")
	})
}

// filesBelow lists what is not a directory: kit's own directories may stay.
func filesBelow(t testing.TB, dir string) (files []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	}))
	return files
}

// EmptyCgroups are the containers' cgroups, in all hierarchies that are mounted,
// in which no process is: of a container that runs, or is about to, they are so
// for a moment only.
func EmptyCgroups(t testing.TB) (dirs []string) {
	t.Helper()
	hierarchies, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	require.NoError(t, err)
	for _, h := range hierarchies {
		_ = filepath.WalkDir(h.Mountpoint, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() || !strings.HasPrefix(d.Name(), "kit-") {
				return nil
			}
			procs, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
			if err == nil && len(procs) == 0 {
				dirs = append(dirs, path)
			}
			return nil
		})
	}
	return dirs
}

// Mounts is the list of all mounts that this process sees, as in proc(5).
func Mounts(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	return string(data)
}

// Survivors waits for all children to end, and returns those that do
// not. Call it when nobody else waits for a child.
func Survivors(patience time.Duration) []string {
	deadline := time.Now().Add(patience)
	for {
		_, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if errors.Is(err, unix.ECHILD) {
			return nil
		}
		if time.Now().After(deadline) {
			return children()
		}
		time.Sleep(time.Millisecond)
	}
}

// endAll kills what has survived, lest the next test finds it.
func endAll(survivors []string) {
	for _, survivor := range survivors {
		number, _, _ := strings.Cut(survivor, " ")
		if pid, err := strconv.Atoi(number); err == nil {
			_ = unix.Kill(pid, unix.SIGKILL)
			_, _ = unix.Wait4(pid, nil, 0, nil)
		}
	}
}

// children lists the processes whose parent is this one, as "pid (name)".
func children() []string {
	var names []string
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid: a name may contain anything, a bracket too.
		end := strings.LastIndexByte(string(data), ')')
		fields := strings.Fields(string(data)[end+1:])
		if len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			names = append(names, string(data)[:end+1])
		}
	}
	return names
}
