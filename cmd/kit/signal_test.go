//go:build linux

package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// TestSignalsReachTheCommand sends kit, which has no terminal here, what is
// meant for the command.
func TestSignalsReachTheCommand(t *testing.T) {
	root := ktest.Rootfs(t)
	script := `
for s in INT QUIT HUP WINCH; do trap "echo got $s" $s; done
trap 'echo got TERM; exit 9' TERM
echo ready
while :; do sleep 0.01; done`
	variants(t, func(t *testing.T, step int, flags ...string) {
		kit := start(t, untraced(step, root, script, flags...)...)
		for _, s := range []unix.Signal{
			unix.SIGINT, unix.SIGQUIT, unix.SIGHUP, unix.SIGWINCH, unix.SIGTERM,
		} {
			require.NoError(t, kit.Process.Signal(s))
			kit.expect(t, "got "+unix.SignalName(s)[3:])
		}
		require.Equal(t, 9, kit.exit(t))
	})
}

// TestSignalEndsTheCommand tells the difference that an init makes: a signal
// without a handler does nothing to PID 1.
func TestSignalEndsTheCommand(t *testing.T) {
	root := ktest.Rootfs(t)
	script := "echo ready; exec cat"
	ktest.Clean(t)
	for _, signal := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT} {
		for name, args := range map[string][]string{
			"step1": untraced(1, root, script),
			"init":  untraced(2, root, script, "--init"),
		} {
			t.Run(fmt.Sprint(name, signal), func(t *testing.T) {
				kit := start(t, args...)
				payload(t, kit.Process.Pid, "cat")
				require.NoError(t, kit.Process.Signal(signal))
				require.Equal(t, 128+int(signal), kit.exit(t))
			})
		}
	}
	t.Run("step2", func(t *testing.T) {
		kit := start(t, untraced(2, root, script)...)
		cat := payload(t, kit.Process.Pid, "cat")
		require.NoError(t, kit.Process.Signal(unix.SIGTERM))
		time.Sleep(50 * time.Millisecond)
		require.Equal(t, cat, alive(cat))
		require.Zero(t, kit.end(t), "it ends by itself")
	})
}

// TestInitReaps makes orphans, which become children of PID 1.
func TestInitReaps(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for flag, zombies := range map[string]int{"--init=false": 2, "--init": 0} {
		t.Run(flag, func(t *testing.T) {
			orphans := `for i in 1 2; do (sleep 0.05 &); done; echo ready; exec cat`
			kit := start(t, untraced(2, root, orphans, flag)...)
			count := func() (n int) {
				for _, pid := range descendants(t, kit.Process.Pid) {
					if status(t, pid, "State") == "Z (zombie)" {
						n++
					}
				}
				return n
			}
			time.Sleep(100 * time.Millisecond)
			require.Eventually(t, func() bool { return count() == zombies },
				5*time.Second, 5*time.Millisecond)
		})
	}
}
