//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// TestExitOfTheCommand looks at the status of a command that ran.
func TestExitOfTheCommand(t *testing.T) {
	root := ktest.Rootfs(t)
	variants(t, func(t *testing.T, step int, flags ...string) {
		for script, exit := range map[string]int{
			"true":                       0,
			"exit 42":                    42,
			"exit 255":                   255,
			"exec sh -c 'exit 7'":        7,
			"(exit 3) || sh -c 'exit 4'": 4,
		} {
			r := runKit(t, untraced(step, root, script, flags...)...)
			require.Equal(t, result{exit: exit}, r, script)
		}
	})
}

// TestExitBySignal kills the container's first process from outside, since PID
// 1 cannot kill itself.
func TestExitBySignal(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	eachStep(t, func(t *testing.T, step int) {
		kit := start(t, untraced(step, root, "echo ready; exec cat")...)
		require.NoError(t, killAll(payload(t, kit.Process.Pid, "cat")))
		require.Equal(t, 137, kit.exit(t))
	})
}

// TestExitOfACommandThatCannotRun looks at statuses 126 and 127.
func TestExitOfACommandThatCannotRun(t *testing.T) {
	root := ktest.Rootfs(t)
	write(t, root, "not-executable", "#!/bin/sh\n", 0o644)
	write(t, root, "no-interpreter", "#!/no/such/shell\n", 0o755)
	write(t, root, "not-a-program", "\x7fELF, but no more", 0o755)
	variants(t, func(t *testing.T, step int, flags ...string) {
		for _, test := range []struct {
			command string
			exit    int
			cause   string
		}{
			{"no-such-command", 127, "execve no-such-command: not found in PATH"},
			{"/no/such/command", 127, "execve /no/such/command: no such file or directory"},
			{"/not-executable", 126, "execve /not-executable: permission denied"},
			{"/bin", 126, "execve /bin: is a directory"},
			{"/no-interpreter", 126, "execve /no-interpreter: no such file or directory"},
			{"/not-a-program", 126, "execve /not-a-program: exec format error"},
			{"/not-a-program/x", 126, "execve /not-a-program/x: not a directory"},
		} {
			args := append([]string{"step", strconv.Itoa(step), "--trace=off", "--rootfs", root}, flags...)
			refused(t, test.exit, test.cause, append(args, "--", test.command)...)
		}
	})
}

// TestExitOfKit looks at status 125: the command never ran.
func TestExitOfKit(t *testing.T) {
	root := ktest.Rootfs(t)
	variants(t, func(t *testing.T, step int, flags ...string) {
		refused(t, 125, "chdir /no/such/directory: no such file or directory",
			untraced(step, root, "echo ran", append(flags, "-w", "/no/such/directory")...)...)
		refused(t, 125, "user nobody-of-that-name: ",
			untraced(step, root, "echo ran", append(flags, "-u", "nobody-of-that-name")...)...)
	})
	refused(t, 125, "no-such-rootfs", untraced(1, "/no-such-rootfs", "echo ran")...)
}

// write puts a file into a root file system.
func write(t testing.TB, root, name, text string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), mode))
	require.NoError(t, os.Chmod(path, mode))
}
