//go:build linux

package main

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// A session is a kit at a terminal, with the test at the keyboard.
type session struct {
	*running
	keys *os.File // the master of the terminal that kit runs in
}

// atTerminal starts kit at a terminal of 24 rows and 80 columns. With -t its
// settings must be the same again when kit has ended.
func atTerminal(t *testing.T, args ...string) *session {
	t.Helper()
	keys, tty, err := pty.Open()
	require.NoError(t, err)
	require.NoError(t, pty.Setsize(keys, &pty.Winsize{Rows: 24, Cols: 80}))
	before, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	require.NoError(t, err)
	cmd := exec.Command("kit", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	// Kit is the foreground process of a session, as under a shell.
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	s := &session{&running{Cmd: cmd, in: keys, out: newLineReader(keys)}, keys}
	t.Cleanup(func() {
		if s.ProcessState == nil {
			s.types(t, "exit\rexit\r") // once more for a shell that has stopped jobs
		}
		s.exit(t)
		after, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
		require.NoError(t, err)
		if slices.Contains(args, "-t") {
			require.Equal(t, before, after, "the terminal's settings")
		}
		tty.Close()
		keys.Close()
	})
	return s
}

// types presses keys.
func (s *session) types(t *testing.T, keys string) {
	t.Helper()
	_, err := s.keys.WriteString(keys)
	require.NoError(t, err)
}

// answer runs a line in the shell, and returns what it prints.
func (s *session) answer(t *testing.T, line string) string {
	t.Helper()
	s.types(t, line+"; echo end$((40+2))\r")
	out := strings.ReplaceAll(s.expect(t, "end42\r\n"), "\r", "")
	return strings.TrimSpace(strings.TrimSuffix(out, "end42\n"))
}

// atShell starts kit with an interactive shell that shows neither what is typed
// nor a prompt.
func atShell(t *testing.T, root string, flags ...string) *session {
	t.Helper()
	args := append([]string{"step", "--trace=off", "--rootfs", root}, flags...)
	s := atTerminal(t, append(args, "--", "/bin/bash", "--norc", "--noediting", "-i")...)
	s.types(t, "stty -echo; PS1=; echo hello$((1+1))\r")
	s.expect(t, "hello2\r\n")
	return s
}

// shells runs a test with an interactive shell at every step, with a terminal of
// its own and without, with an init, and observed.
func shells(t *testing.T, test func(t *testing.T, s *session)) {
	t.Helper()
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	for name, flags := range map[string][]string{
		"step 1":    {"1"},
		"step 1 -t": {"1", "-t"},
		"step 2":    {"2"},
		"step 2 -t": {"2", "-t"},
		"init":      {"2", "--init"},
		"init -t":   {"2", "--init", "-t"},
		"traced":    {"2", "--trace=steps", "--trace-file=/dev/null"},
		"traced -t": {"2", "--trace=steps", "--trace-file=/dev/null", "--init", "-t"},
	} {
		t.Run(name, func(t *testing.T) {
			test(t, atShell(t, root, flags...))
		})
	}
}

// TestCtrlC interrupts what the shell runs, and neither the shell nor kit.
func TestCtrlC(t *testing.T) {
	shells(t, func(t *testing.T, s *session) {
		s.types(t, "echo go$((1+1)); sleep 60\r")
		s.expect(t, "go2")
		sleep := payload(t, s.Process.Pid, "sleep")
		s.types(t, "\x03")
		require.Eventually(t, func() bool { return alive(sleep) == nil }, 5*time.Second, time.Millisecond)
		require.Equal(t, "130", s.answer(t, "echo $?"))
	})
}

// TestCtrlD ends the shell, and kit with its status.
func TestCtrlD(t *testing.T) {
	shells(t, func(t *testing.T, s *session) {
		s.types(t, "(exit 7)\r\x04")
		require.Equal(t, 7, s.exit(t))
	})
}

// TestCtrlBackslash quits what the shell runs.
func TestCtrlBackslash(t *testing.T) {
	shells(t, func(t *testing.T, s *session) {
		s.types(t, "echo go$((1+1)); sleep 60\r")
		s.expect(t, "go2")
		payload(t, s.Process.Pid, "sleep")
		s.types(t, "\x1c")
		require.Contains(t, s.answer(t, "echo $?"), "131")
	})
}

// TestJobControl stops a job by key, and brings it back.
func TestJobControl(t *testing.T) {
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	for _, flags := range [][]string{{"1", "-t"}, {"2", "-t"}, {"2", "-t", "--init"}} {
		t.Run(strings.Join(flags, ""), func(t *testing.T) {
			s := atShell(t, root, flags...)
			s.answer(t, "sleep 100 & true")
			require.Regexp(t, `\[1\]. +Running +sleep 100 &`, s.answer(t, "jobs"))
			s.types(t, "fg\r")
			sleep := payload(t, s.Process.Pid, "sleep")
			require.Eventually(t, func() bool { return foreground(t, sleep[0]) },
				5*time.Second, time.Millisecond)
			s.types(t, "\x1a")
			require.Regexp(t, `Stopped +sleep 100`, s.answer(t, "jobs"))
			s.answer(t, "kill -KILL %1")
			require.Eventually(t, func() bool { return alive(sleep) == nil },
				5*time.Second, time.Millisecond)
		})
	}
}

// foreground tells that a process belongs to its terminal's foreground group.
func foreground(t *testing.T, pid int) bool {
	t.Helper()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest) // state ppid pgrp session tty_nr tpgid
	return fields[2] == fields[5]
}

// TestOwnTerminal looks at the terminal that -t gives.
func TestOwnTerminal(t *testing.T) {
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	for _, flags := range [][]string{{"2", "-t"}, {"2", "-t", "--init"}} {
		t.Run(strings.Join(flags, ""), func(t *testing.T) {
			s := atShell(t, root, flags...)
			require.Equal(t, "/dev/pts/0", s.answer(t, "tty"))
			require.Equal(t, "hello", s.answer(t, "echo hello >/dev/tty"))
		})
	}
}

// TestWindowSize changes the size of the window.
func TestWindowSize(t *testing.T) {
	shells(t, func(t *testing.T, s *session) {
		require.Equal(t, "24 80", s.answer(t, "stty size"))
		s.answer(t, "trap 'echo resized' WINCH")
		require.NoError(t, pty.Setsize(s.keys, &pty.Winsize{Rows: 50, Cols: 132}))
		require.Eventually(t, func() bool {
			return strings.Contains(s.answer(t, "stty size"), "50 132")
		}, 5*time.Second, 10*time.Millisecond)
	})
}

// TestTerminalWithoutOne asks for a terminal where kit's input is a pipe or a file.
func TestTerminalWithoutOne(t *testing.T) {
	root := ktest.HostRootfs(t)
	variants(t, func(t *testing.T, step int, flags ...string) {
		cmd := exec.Command("kit", untraced(step, root,
			"test -t 0 && test -t 1 && read line && echo got $line && cat", append(flags, "-t")...)...)
		cmd.Stdin = strings.NewReader("typed\n")
		r := finish(t, cmd)
		require.Zero(t, r.exit, r.err)
		require.Contains(t, r.out, "got typed\r\n")
		require.Zero(t, runKit(t, untraced(step, root, "cat", append(flags, "-t")...)...).exit)
	})
}

// TestDefaultShell leaves the shell that kit starts by default, which gives the
// keyboard back to where it had it from, and the one that started kit has it.
func TestDefaultShell(t *testing.T) {
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	for _, flags := range []string{"1", "2", "2 --init", "2 --trace=steps --trace-file=/dev/null"} {
		t.Run(flags, func(t *testing.T) {
			keys, tty, err := pty.Open()
			require.NoError(t, err)
			defer tty.Close()
			kit := "kit step --trace=off --rootfs " + root + " " + flags + " -- /bin/sh"
			cmd := exec.Command("sh", "-c", kit+"; echo status $?; read line; echo got $line")
			cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
			cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
			require.NoError(t, cmd.Start())
			s := &session{&running{Cmd: cmd, in: keys, out: newLineReader(keys)}, keys}
			s.types(t, "stty -echo; echo in$((1+1))\r")
			s.expect(t, "in2\r\n")
			s.types(t, "exit 3\r")
			require.NotContains(t, s.expect(t, "status 3\r\n"), "Cannot")
			s.types(t, "back\r")
			s.expect(t, "got back\r\n")
			require.Zero(t, s.exit(t))
			keys.Close()
		})
	}
}

// TestTerminalGone: when the user's terminal hangs up, the container ends, though its
// first process heeds no SIGHUP.
func TestTerminalGone(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for _, flags := range [][]string{{"--trace=off"}, {"--trace-file=/dev/null"}, {"--init"}} {
		keys, tty, err := pty.Open()
		require.NoError(t, err)
		args := append([]string{"step", "2", "-t", "--rootfs", root}, flags...)
		args = append(args, "--", "sh", "-c", "echo up; trap '' HUP; cat; exec sh")
		cmd := exec.Command("kit", args...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
		cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
		require.NoError(t, cmd.Start())
		require.NoError(t, tty.Close())
		for seen := ""; !strings.Contains(seen, "up"); {
			buf := make([]byte, 100)
			n, err := keys.Read(buf)
			require.NoError(t, err)
			seen += string(buf[:n])
		}
		require.NoError(t, keys.Close())
		ended := make(chan struct{})
		go func() {
			_ = cmd.Wait() // with whatever status
			close(ended)
		}()
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			require.NoError(t, cmd.Process.Kill())
			t.Fatalf("%v: kit runs on without a terminal", flags)
		}
	}
}

// TestKilledAtTerminal: who sees a container end that somebody else has stopped is told.
func TestKilledAtTerminal(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	s := atTerminal(t, untraced(2, root, "echo go$((1+1)); cat", "--name", "box")...)
	s.expect(t, "go2")
	require.Equal(t, result{}, runKit(t, "stop", "box", "--time", "0"))
	s.expect(t, "kit: status 137: ended by SIGKILL, as from kit stop, ")
	require.Equal(t, 137, s.exit(t))
}
