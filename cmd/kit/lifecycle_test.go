//go:build linux

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/state"
)

// list is what kit ps --json says.
func list(t *testing.T) (all []listed) {
	t.Helper()
	r := runKit(t, "ps", "--json")
	require.Zero(t, r.exit, r.err)
	require.NoError(t, json.Unmarshal([]byte(r.out), &all))
	return all
}

func TestPs(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	require.Empty(t, list(t))
	require.Equal(t, "NAME  PID  STEP  AGE  STATUS  ADDRESS  COMMAND\n", runKit(t, "ps").out)
	kit := start(t, untraced(2, root, "echo ready; exec cat", "--name", "box")...)
	all := list(t)
	require.Len(t, all, 1)
	l := all[0]
	require.Equal(t, payload(t, kit.Process.Pid, "cat")[0], l.Pid)
	require.WithinDuration(t, time.Now(), l.Created, time.Minute)
	require.Equal(t, []string{"box", "running", root, "/bin/sh -c echo ready; exec cat"},
		[]string{l.Name, l.Status, l.Rootfs, strings.Join(l.Command, " ")})
	require.Equal(t, 2, l.Step)
	lines := strings.Split(runKit(t, "ps").out, "\n")
	line := `^box +` + strconv.Itoa(l.Pid) + ` +2 +.* +running +- +/bin/sh -c echo ready; exec cat$`
	require.Regexp(t, line, lines[1])
	kit.end(t)
	require.Empty(t, list(t))
}

func TestShownCommand(t *testing.T) {
	require.Equal(t, `sh "" "a\tb" c d`, shown([]string{"sh", "", "a\tb", "c d"}))
	require.Equal(t, `"\x1b[2J"`, shown([]string{"\x1b[2J"}))
	require.Len(t, shown([]string{strings.Repeat("x", 100)}), 40)
}

// TestStop ends containers that heed SIGTERM, that do not, and that are paused.
func TestStop(t *testing.T) {
	root := ktest.Rootfs(t)
	eachStep(t, func(t *testing.T, step int) {
		ktest.Clean(t)
		stop := func(script string, exit int, seconds string, flags ...string) time.Duration {
			kit := start(t, untraced(step, root, script, append(flags, "--name", "box")...)...)
			begin := time.Now()
			require.Equal(t, result{}, runKit(t, "stop", "box", "-t", seconds))
			took := time.Since(begin)
			require.Empty(t, list(t), "kit stop waits for the clean-up")
			require.Equal(t, exit, kit.exit(t))
			return took
		}
		handler := "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"
		require.Less(t, stop(handler, 5, "30"), 20*time.Second)
		stubborn := "trap '' TERM; echo ready; cat"
		require.GreaterOrEqual(t, stop(stubborn, 137, "1"), time.Second)
		require.Less(t, stop(stubborn, 137, "0"), 10*time.Second)
		refused(t, 125, `stop box: no container "box": none is running`, "stop", "box")
		refused(t, 2, "--time -1: less than 0", "stop", "box", "--time=-1")
	})
}

func TestStopWhilePaused(t *testing.T) {
	needLimits(t, "pids")
	enterable(t)
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	script := "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"
	kit := start(t, untraced(3, root, script, "--name", "box")...)
	require.Zero(t, runKit(t, "pause", "box").exit)
	require.Equal(t, "paused", list(t)[0].Status)
	refused(t, 125, "enter box: it is paused", "enter", "box")
	require.Equal(t, result{}, runKit(t, "stop", "box", "-t", "15"))
	require.Equal(t, 5, kit.exit(t))
}

// TestStale: a container whose kit was killed is said to be stale, by whoever is asked
// for it.
func TestStale(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	killed(t, 2, root, "box")
	defer runKit(t, "clean")
	for _, command := range []string{"stop", "enter", "stats", "inspect", "pause"} {
		refused(t, 125, `box: container "box" does not run: it is stale, since kit was killed; `+
			`kit clean removes what is left of it`, command, "box")
	}
}

// killed starts a container and kills its kit.
func killed(t *testing.T, step int, root, name string) {
	t.Helper()
	kit := start(t, untraced(step, root, "echo ready; echo x >/written; exec cat", "--name", name)...)
	s, err := state.Load(name)
	require.NoError(t, err)
	require.NoError(t, unix.Kill(s.KitPid, unix.SIGKILL))
	require.NotZero(t, kit.exit(t))
	require.Eventually(t, s.Stale, 5*time.Second, time.Millisecond)
}

// TestClean kills kits and has the rest removed; ktest.Clean looks whether it was all.
func TestClean(t *testing.T) {
	enterable(t)
	root := ktest.Rootfs(t)
	for _, step := range []int{2, 3, 4, 6} {
		t.Run("step"+strconv.Itoa(step), func(t *testing.T) {
			ktest.Clean(t)
			require.Equal(t, result{}, runKit(t, "clean"))
			other := start(t, untraced(step, root, "echo ready; exec cat", "--name", "other")...)
			killed(t, step, root, "box")
			require.Equal(t, "stale", list(t)[0].Status)
			r := runKit(t, "ps")
			require.Equal(t, "hint: kit clean removes what is left of stale ones\n", r.err)
			r = runKit(t, "clean")
			require.Zero(t, r.exit, r.err)
			require.Regexp(t, "^cleaned box: record.*\n$", r.out)
			require.Equal(t, "running", list(t)[0].Status)
			require.Equal(t, 9, runKit(t, "enter", "other", "/bin/sh", "-c", "exit 9").exit)
			require.Equal(t, result{}, runKit(t, "clean"))

			// A start under that name cleans by itself, and stop ends nothing.
			killed(t, step, root, "box")
			refused(t, 125, `container "box" does not run: it is stale`, "stop", "box")
			require.Equal(t, "again", inside(t, step, root, "echo again", "--name", "box"))
			require.Zero(t, other.end(t))
			require.Empty(t, list(t))
		})
	}
}

// TestCleanWithoutRecords: files that nobody can read, or that nobody knows.
func TestCleanWithoutRecords(t *testing.T) {
	ktest.Clean(t)
	dir := os.Getenv("KIT_STATE")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "gone.net"), 0o700))
	write(t, dir, "broken.json", "{", 0o600)
	write(t, dir, ".half", "{", 0o600)
	containers := filepath.Join(os.Getenv("KIT_CACHE"), "containers", "gone")
	require.NoError(t, os.MkdirAll(filepath.Join(containers, "upper"), 0o700))
	require.NoError(t, os.Chmod(os.Getenv("KIT_CACHE"), 0o700))
	require.Equal(t, "stale", list(t)[0].Status)
	require.Equal(t, "cleaned broken: its record, which cannot be read\n"+
		"removed "+dir+"/.half\nremoved "+dir+"/gone.net\n", runKit(t, "clean").out)
	require.DirExists(t, containers, "too young to be nobody's")
	require.Eventually(t, func() bool {
		return runKit(t, "clean").out == "removed "+containers+"\n"
	}, 15*time.Second, 500*time.Millisecond)
	require.NoDirExists(t, containers)
}

// TestOneOfManyStarts has twenty kits at once, and one name, which a killed kit had.
func TestOneOfManyStarts(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	killed(t, 2, root, "box")
	kits := make([]*exec.Cmd, 20)
	for i := range kits {
		kits[i] = exec.Command("kit", untraced(2, root, "exec sleep 1000", "--name", "box")...)
		require.NoError(t, kits[i].Start())
	}
	require.Eventually(t, func() bool {
		all := list(t)
		return len(all) == 1 && all[0].Status == "running"
	}, 20*time.Second, 20*time.Millisecond)
	winner := list(t)[0]
	ended := make(chan int, len(kits))
	for _, kit := range kits {
		go func() {
			_ = kit.Wait()
			ended <- kit.ProcessState.ExitCode()
		}()
	}
	for range len(kits) - 1 {
		require.Equal(t, 125, <-ended)
	}
	require.Equal(t, winner, list(t)[0])
	require.Equal(t, result{}, runKit(t, "stop", "box", "-t", "0"))
	require.Equal(t, 137, <-ended)
}
