//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// TestCleanAfterAnyDeath kills one of kit's processes (the observer, that of step 0,
// the parent) or the container's first one at any moment, and cleans up at once.
func TestCleanAfterAnyDeath(t *testing.T) {
	root := ktest.Rootfs(t)
	for _, line := range []string{"2 --init", "3", "4", "5", "6", "6 traced"} {
		t.Run(strings.ReplaceAll(line, " ", ""), func(t *testing.T) {
			ktest.Clean(t)
			links := linkNames(t)
			long, times := 150*time.Millisecond, 12
			args := []string{"step", line[:1], "--rootfs", root, "--name", "box"}
			switch {
			case strings.HasSuffix(line, "traced"):
				args, long = append(args, "--trace-file", os.DevNull), 2*time.Second
				times = 6
			case strings.HasSuffix(line, "--init"):
				args = append(args, "--init")
				fallthrough
			default:
				args = append(args, "--trace=off")
			}
			for i := range times {
				kit := exec.Command("kit", append(args, "--", "/bin/sleep", "1000")...)
				require.NoError(t, kit.Start())
				time.Sleep(long * time.Duration(i) / time.Duration(times))
				family := descendants(t, kit.Process.Pid)
				_ = unix.Kill(family[i%len(family)], unix.SIGKILL)
				require.Error(t, kit.Wait())
				r := runKit(t, "clean")
				require.Zero(t, r.exit, r.err)
				require.Empty(t, r.err)
				require.Empty(t, list(t))
				require.Empty(t, ownCgroups(t, "kit-box"), r.out)
				for _, dir := range []string{os.Getenv("KIT_STATE"), containersDir()} {
					left, err := filepath.Glob(filepath.Join(dir, "*"))
					require.NoError(t, err)
					require.Empty(t, left)
				}
				require.Equal(t, links, linkNames(t))
			}
		})
	}
}

func containersDir() string { return filepath.Join(os.Getenv("KIT_CACHE"), "containers") }

// ownCgroups are the empty cgroups whose names begin so.
func ownCgroups(t *testing.T, prefix string) (dirs []string) {
	t.Helper()
	for _, dir := range ktest.EmptyCgroups(t) {
		if strings.HasPrefix(filepath.Base(dir), prefix) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func linkNames(t *testing.T) (names []string) {
	t.Helper()
	links, err := netlink.LinkList()
	require.NoError(t, err)
	for _, l := range links {
		names = append(names, l.Attrs().Name)
	}
	return names
}

// TestStateDirectoryUnusable: what others could have written is not believed.
func TestStateDirectoryUnusable(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	dir := os.Getenv("KIT_STATE")
	commands := [][]string{
		{"ps"},
		{"clean"},
		{"stop", "box"},
		{"enter", "box"},
		{"stats", "box"},
		{"pause", "box"},
		untraced(2, root, "true", "--name", "box"),
	}
	refuse := func(why string) {
		t.Helper()
		for _, args := range commands {
			refused(t, 125, why, args...)
		}
		// Who needs no name needs no record.
		require.Equal(t, "fine", inside(t, 2, root, "echo fine"))
	}
	require.NoError(t, os.Mkdir(dir, 0o755))
	refuse("state directory " + dir + ": others may use it (mode 0755, not 0700)")
	require.NoError(t, os.Remove(dir))
	write(t, filepath.Dir(dir), filepath.Base(dir), "", 0o600)
	refuse("state directory " + dir + ": not a directory")
	require.NoError(t, os.Remove(dir))
	if os.Geteuid() == 0 {
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.Chown(dir, 1000, 1000))
		refuse("state directory " + dir + ": belongs to uid 1000, not to 0")
		require.NoError(t, os.Remove(dir))
	}
}

// TestEnterAtAnyMoment enters a container that is being built, that runs, and that
// ends. The command is inside, or there is none.
func TestEnterAtAnyMoment(t *testing.T) {
	root := ktest.Rootfs(t)
	require.NoError(t, os.WriteFile(filepath.Join(root, "inside"), nil, 0o644))
	for _, step := range []int{1, 2, 6} {
		ktest.Clean(t)
		entered := 0
		for range 8 {
			kit := exec.Command("kit", untraced(step, root, "sleep 0.4", "--name", "box")...)
			require.NoError(t, kit.Start())
			ended := make(chan error, 1)
			go func() { ended <- kit.Wait() }()
			for len(ended) == 0 {
				r := runKit(t, "enter", "box", "--", "/bin/sh", "-c", "test -e /inside || exit 3")
				switch r.exit {
				case 0:
					entered++
				case 125:
					require.Regexp(t, `^kit: enter box: (no container "box"|container "box" does not run|`+
						`box has ended).*\n$`, r.err)
				default:
					require.Equal(t, 137, r.exit, strconv.Quote(r.err))
				}
			}
			require.NoError(t, <-ended)
		}
		require.NotZero(t, entered)
	}
}
