//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// TestKilledKitTakesTheContainerAlong kills kit where it cannot clean up.
func TestKilledKitTakesTheContainerAlong(t *testing.T) {
	root := ktest.Rootfs(t)
	variants(t, func(t *testing.T, step int, flags ...string) {
		t.Setenv("KIT_STATE", ktest.PublicDir(t)) // the note about it stays, for kit clean
		script := "exec cat"
		if step == 2 {
			script = "setsid sleep 1000 & sleep 1000 & echo ready; exec cat"
		}
		kit := start(t, untraced(step, root, "echo ready; "+script, flags...)...)
		payload(t, kit.Process.Pid, "cat")
		family := descendants(t, kit.Process.Pid)
		require.NoError(t, kit.Process.Kill())
		require.Equal(t, 137, kit.exit(t))
		require.Eventually(t, func() bool { return alive(family) == nil },
			5*time.Second, time.Millisecond, "%v", family)
	})
}

// TestKilledAtAnyMoment kills kit while it builds the container. That nothing
// lives on is what ktest.Clean sees.
func TestKilledAtAnyMoment(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	t.Setenv("KIT_STATE", ktest.PublicDir(t))
	for _, flag := range []string{"--init=false", "--init"} {
		for delay := time.Duration(0); delay < 16*time.Millisecond; delay += 400 * time.Microsecond {
			cmd := exec.Command("kit", untraced(2, root, "exec sleep 1000", flag)...)
			require.NoError(t, cmd.Start())
			time.Sleep(delay)
			require.NoError(t, cmd.Process.Kill())
			require.Error(t, cmd.Wait())
		}
	}
}

// TestOrphansAtTheEnd leaves processes in the background: those of step 2 end
// with PID 1.
func TestOrphansAtTheEnd(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for _, flag := range []string{"--init=false", "--init"} {
		script := "setsid sleep 1000 >/dev/null 2>&1 & echo done"
		require.Equal(t, "done", inside(t, 2, root, script, flag))
	}
}

// TestFailureLeavesNothing fails at different moments; ktest.Clean looks.
func TestFailureLeavesNothing(t *testing.T) {
	root := ktest.Rootfs(t)
	file := filepath.Join(root, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	ktest.Clean(t)
	for _, flags := range [][]string{
		{"--user", "no-such-user"},
		{"--workdir", "/no/such/directory"},
		{"--volume", root + ":/file"},          // a directory on a file
		{"--volume", root + ":/file/below/it"}, // below a file
		{"--volume", root + ":/proc/no"},       // no directory can be made there
		{"-t", "--workdir", "/no/such/directory"},
	} {
		r := runKit(t, untraced(2, root, "true", flags...)...)
		require.Equal(t, 125, r.exit, "%v: %s", flags, r.err)
	}
	// A root file system in which the directories cannot be made.
	require.NoError(t, os.Remove(filepath.Join(root, "file")))
	require.NoError(t, os.RemoveAll(filepath.Join(root, "proc")))
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc"), nil, 0o644))
	refused(t, 125, "mount proc on /proc: not a directory", untraced(2, root, "true")...)
}
