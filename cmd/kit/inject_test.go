//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// TestInjectWithoutPtrace: a call that could not be made to fail is no reason to run
// without it failing.
func TestInjectWithoutPtrace(t *testing.T) {
	ktest.RequireTool(t, "strace")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	r := finish(t, exec.Command("strace", "-f", "-o", "/dev/null", "kit", "step", "1",
		"--rootfs", root, "--inject", "chroot:EPERM", "--", "/bin/echo", "ran"))
	require.Equal(t, 125, r.exit, r.err)
	require.Empty(t, r.out)
	require.Regexp(t, "^kit: --inject: a call can only be made to fail in a run that is traced: "+
		"kit itself is being traced, by process \\d+", r.err)
}

// TestInjectIntoCleanUp makes one call of the clean-up fail after the other: that is
// told, all else is removed, and kit clean removes the rest. In every second run the
// container has failed before.
func TestInjectIntoCleanUp(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	w := newSweeper(t, "undo")
	line := sweepLine{6, []string{"-p", "PORT:80"}}
	n, failed := map[string]int{}, 0
	for _, e := range lessonCalls(t, root, line) {
		n[e.Call]++
		if e.Moment != "After" || !slices.Contains([]string{"unlinkat", "sendmsg", "sendto"}, e.Call) {
			continue
		}
		flags := []string{
			"--trace-file", os.DevNull, "--inject", fmt.Sprintf("%s:EIO:%d", e.Call, n[e.Call]),
		}
		half := n[e.Call]%2 == 0
		if half {
			flags = append(flags, "--inject", "sethostname:ENOMEM")
		}
		r := runKit(t, line.args(root, w.name, flags...)...)
		left := additions(w.before, w.survey(500*time.Millisecond))
		if len(left) > 0 {
			failed++
			require.Equal(t, 125, r.exit, r.err)
			require.Contains(t, r.err, "input/output error")
		}
		require.LessOrEqual(t, len(left), 3, "%v: %v\n%s", flags, left, r.err)
		if half {
			require.Equal(t, 125, r.exit, r.err)
			require.Contains(t, r.err, "kit: namespaces: sethostname undo: cannot allocate memory\n")
		}
		r = runKit(t, "clean")
		require.Zero(t, r.exit, r.err)
		require.Empty(t, additions(w.before, w.survey(2*time.Second)), "%v: %s", flags, r.err)
	}
	t.Logf("%d calls of the clean-up", failed)
	require.Greater(t, failed, 2)
}

// additions are what is in b and not in a.
func additions(a, b []string) (list []string) {
	there := map[string]bool{}
	for _, line := range a {
		there[line] = true
	}
	for _, line := range b {
		if !there[line] {
			list = append(list, line)
		}
	}
	return list
}
