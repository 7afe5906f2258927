//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// keys end the bottom line of a panel.
const panelEnd = "? help "

var (
	callNumber = regexp.MustCompile(`── call (\d+) ─`)
	escape     = regexp.MustCompile("\x1b\\[[?0-9;]*[A-Za-z]")
)

// pausing starts kit step with --pause, without colours.
func pausing(t *testing.T, flags ...string) *session {
	t.Helper()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	return atTerminal(t, append([]string{"step", "--pause"}, flags...)...)
}

// panel waits for the next panel, and returns its text, without what moves the cursor.
func (s *session) panel(t *testing.T) string {
	t.Helper()
	return bare(s.expect(t, panelEnd))
}

func bare(text string) string {
	return strings.ReplaceAll(escape.ReplaceAllString(text, ""), "\r", "")
}

// numberOf is that of the call which a panel shows.
func numberOf(t *testing.T, panel string) int {
	t.Helper()
	m := callNumber.FindAllStringSubmatch(panel, -1)
	require.NotEmpty(t, m, panel)
	n, err := strconv.Atoi(m[len(m)-1][1])
	require.NoError(t, err)
	return n
}

// keyUntil presses a key again and again, until a panel has text in it.
func (s *session) keyUntil(t *testing.T, key, text string) string {
	t.Helper()
	for panel := s.panel(t); ; panel = s.panel(t) {
		if i := strings.LastIndex(panel, "── call "); strings.Contains(panel[max(i, 0):], text) {
			return panel[i:]
		}
		s.types(t, key)
	}
}

// rest presses a key at every panel that is still to come, until kit has ended.
func (s *session) rest(t *testing.T, key string) (panels []string, exit int) {
	t.Helper()
	done := make(chan int)
	go func() { done <- s.exit(t) }()
	text := s.out.seen
	var late <-chan time.Time // what has been written is read by then
	for {
		select {
		case data := <-s.out.data:
			text = append(text, data...)
		case exit = <-done:
			late = time.After(200 * time.Millisecond)
			continue
		case <-late:
			return append(panels, bare(string(text))), exit
		}
		if i := bytes.Index(text, []byte(panelEnd)); i >= 0 {
			panels, text = append(panels, bare(string(text[:i]))), text[i+len(panelEnd):]
			s.types(t, key)
		}
	}
}

// TestPauseToTheEnd goes from the first call to the last by the Enter key, with an
// interactive shell in between that has the same terminal.
func TestPauseToTheEnd(t *testing.T) {
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	for _, flags := range []string{"", "--init", "-t", "-t --init"} {
		t.Run("step 2 "+flags, func(t *testing.T) {
			args := append([]string{"2", "--rootfs", root}, strings.Fields(flags)...)
			s := pausing(t, append(args, "--", "/bin/bash", "--norc", "--noediting", "-i")...)
			for number := 1; ; number++ {
				panel := s.panel(t)
				require.Equal(t, number, numberOf(t, panel))
				panel = panel[strings.LastIndex(panel, "── call "):]
				require.Less(t, strings.Count(panel, "\n"), 24, panel)
				require.Contains(t, panel, "▶")
				require.Contains(t, panel, "\n  call    ")
				require.Contains(t, panel, "\n  look    ")
				s.types(t, "\r")
				if strings.Contains(panel, "in execPayload") || strings.Contains(panel, "in startPayload") {
					break
				}
			}
			if strings.Contains(flags, "--init") {
				// The process that becomes the command is one of its own.
				s.keyUntil(t, "\r", "execve(")
				s.types(t, "\r")
			}
			s.prompt(t)
			s.types(t, "stty -echo; PS1=; echo hello$((1+1))\r")
			s.expect(t, "hello2\r\n")
			require.Contains(t, s.answer(t, "stty -a"), "isig icanon iexten -echo")
			s.types(t, "exit 7\r")
			panels, exit := s.rest(t, "\r")
			require.Equal(t, 7, exit)
			require.Greater(t, len(panels), 1, "calls after the command's end")
		})
	}
}

// prompt waits for the shell's, and goes past what its parents still do until it runs.
func (s *session) prompt(t *testing.T) {
	t.Helper()
	for !s.out.has(":/# ") {
		if s.out.has(panelEnd) {
			s.panel(t)
			s.types(t, "\r")
		}
		time.Sleep(time.Millisecond)
	}
	s.expect(t, ":/# ")
}

// TestPauseTells looks at what a panel says of a call, before it and after it.
func TestPauseTells(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	s := pausing(t, "2", "--rootfs", root, "--hostname", "box", "--", "/bin/true")
	panel := s.keyUntil(t, "\r", "call    sethostname")
	host, err := os.Hostname()
	require.NoError(t, err)
	require.Regexp(t, `changes the host name of the UTS namespace uts:\[\d+\], now\s+`+host, panel)
	require.Contains(t, panel, "why     Only our UTS namespace sees the new name.")
	require.Regexp(t, `▶ +\d+ .*unix.Sethostname`, panel)
	m := regexp.MustCompile(`nsenter -t (\d+) .*-u hostname`).FindStringSubmatch(panel)
	require.NotNil(t, m, panel)
	// The process is there, and waits.
	status, err := os.ReadFile("/proc/" + m[1] + "/status")
	require.NoError(t, err)
	require.Contains(t, string(status), "State:\tt (tracing stop)")
	s.types(t, "\r")
	require.Contains(t, s.panel(t), "hostname  "+host+" → box")
	s.types(t, "r")
	panels, exit := s.rest(t, "")
	require.Zero(t, exit)
	require.Len(t, panels, 1, "nothing stops any more")
}

// TestPauseKeys presses the keys that look at something, and some that are none.
func TestPauseKeys(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	s := pausing(t, "2", "--rootfs", root, "--", "/bin/true")
	first := s.panel(t)
	s.types(t, "b")
	require.Contains(t, s.panel(t), "nothing has happened yet")
	s.types(t, "s")
	require.Contains(t, bare(s.expect(t, "q back")), "func (g *gate) knock")
	s.types(t, "q")
	require.Equal(t, numberOf(t, first), numberOf(t, s.panel(t)), "q has only closed the source")
	s.types(t, "d")
	require.Contains(t, bare(s.expect(t, "q back")), "namespaces")
	s.types(t, "  ")
	s.expect(t, "q back")
	s.types(t, "q")
	s.panel(t)
	s.types(t, "?")
	require.Contains(t, bare(s.expect(t, "q back")), "fg brings kit back")
	s.types(t, "q")
	s.panel(t)
	s.types(t, "z")
	require.Contains(t, s.panel(t), "z is no key here")
	s.types(t, "\x1b[11~")
	require.Contains(t, s.panel(t), "this is no key here")
	s.types(t, "n")
	require.Equal(t, 2, numberOf(t, s.panel(t)))
	s.types(t, "b")
	require.Contains(t, bare(s.expect(t, "q back")), "sendto(")
	s.types(t, "q")
	s.panel(t)
	s.types(t, "m")
	require.Contains(t, s.panel(t), "step 2 namespaces")
	s.types(t, "r")
	_, exit := s.rest(t, "")
	require.Zero(t, exit)
}

// TestPauseQuits ends the run at several points, in all the ways there are.
func TestPauseQuits(t *testing.T) {
	root := ktest.Rootfs(t)
	links, err := os.ReadFile("/proc/net/dev")
	require.NoError(t, err)
	ktest.Clean(t)
	for _, step := range []string{"1", "2", "4", "5", "2 --init", "2 -t"} {
		for at, text := range map[string]string{
			"first call": "call 1 ", "clone": "call    clone", "child": "in dieWithParent",
			"root": "· Root", "execve": "in execPayload",
		} {
			if strings.Contains(step, "init") && at == "execve" {
				text = "in startPayload"
			}
			t.Run("step "+step+" "+at, func(t *testing.T) {
				args := append(strings.Fields(step), "--rootfs", root, "--", "/bin/echo", "it", "ran")
				s := pausing(t, args...)
				s.keyUntil(t, "\r", text)
				s.types(t, "q")
				panels, exit := s.rest(t, "")
				require.Equal(t, 130, exit, panels)
				require.Len(t, panels, 1, "nothing stops any more")
				require.Contains(t, panels[0], "quit before call")
				require.NotContains(t, panels[0], "it ran")
				require.NotContains(t, panels[0], "kit: ")
			})
		}
	}
	now, err := os.ReadFile("/proc/net/dev")
	require.NoError(t, err)
	require.Equal(t, strings.Count(string(links), "\n"), strings.Count(string(now), "\n"))
	require.Empty(t, list(t))
}

// TestPauseIsEnded ends the run by other means than a key that says so.
func TestPauseIsEnded(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for name, c := range map[string]struct {
		end  func(s *session)
		exit int
	}{
		"Ctrl-C":  {func(s *session) { s.types(t, "\x03") }, 130},
		"SIGINT":  {func(s *session) { unix.Kill(s.Process.Pid, unix.SIGINT) }, 130},
		"SIGTERM": {func(s *session) { unix.Kill(s.Process.Pid, unix.SIGTERM) }, 143},
		"in a view": {func(s *session) {
			s.types(t, "d")
			s.expect(t, "q back")
			unix.Kill(s.Process.Pid, unix.SIGTERM)
		}, 143},
		"Ctrl-C in a view": {func(s *session) { s.types(t, "s\x03") }, 130},
	} {
		t.Run(name, func(t *testing.T) {
			s := pausing(t, "2", "--rootfs", root, "--", "/bin/echo", "it", "ran")
			s.keyUntil(t, "\r", "· Inside")
			c.end(s)
			panels, exit := s.rest(t, "")
			require.Equal(t, c.exit, exit)
			require.NotContains(t, panels[len(panels)-1], "it ran")
		})
	}
}

// TestPauseHangsUp closes the terminal.
func TestPauseHangsUp(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	keys, tty, err := pty.Open()
	require.NoError(t, err)
	cmd := exec.Command("kit", "step", "5", "--pause", "--rootfs", root, "--", "/bin/true")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	tty.Close()
	// Nobody may still read from it when it is closed.
	for text, buf := "", make([]byte, 4096); !strings.Contains(text, "· Child"); {
		n, err := keys.Read(buf)
		require.NoError(t, err)
		if text += string(buf[:n]); strings.HasSuffix(text, panelEnd) {
			_, err = keys.WriteString("\r")
			require.NoError(t, err)
		}
	}
	keys.Close()
	require.Equal(t, 129, (&running{Cmd: cmd}).exit(t))
	require.Empty(t, list(t))
}

// TestPauseAfterTheCommand stops at the clean-up too, where to quit is to run on.
func TestPauseAfterTheCommand(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	s := pausing(t, "4", "--rootfs", root, "--", "/bin/sh", "-c", "exit 5")
	s.keyUntil(t, "\r", "in execPayload")
	s.types(t, "\r")
	panel := s.keyUntil(t, "\r", "· After")
	require.Contains(t, panel, "─ parent ")
	s.types(t, "q")
	panels, exit := s.rest(t, "")
	require.Equal(t, 5, exit)
	require.Len(t, panels, 1)
}

func TestPauseFrom(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	t.Setenv("TERM", "xterm")
	s := atTerminal(t, "step", "2", "--pause=5", "--rootfs", root, "--", "/bin/true")
	require.Equal(t, 5, numberOf(t, s.panel(t)))
	s.types(t, "\r")
	require.Equal(t, 6, numberOf(t, s.panel(t)))
	s.types(t, "r")
	_, exit := s.rest(t, "")
	require.Zero(t, exit)
}

// TestPauseNarrow looks at the panels in small windows, and in one that is made smaller.
func TestPauseNarrow(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	s := pausing(t, "2", "--rootfs", root, "--", "/bin/true")
	s.panel(t)
	for _, w := range []pty.Winsize{
		{Rows: 24, Cols: 40}, {Rows: 10, Cols: 60}, {Rows: 40, Cols: 120},
	} {
		require.NoError(t, pty.Setsize(s.keys, &w))
		s.types(t, "\x0c")
		require.Eventually(t, func() bool {
			panel := s.panel(t)
			panel = panel[strings.LastIndex(panel, "── call "):]
			if !s.out.has(panelEnd) {
				s.types(t, "\x0c")
			}
			return fits(panel, w)
		}, 5*time.Second, 10*time.Millisecond)
		for range 12 {
			s.types(t, "\r")
			panel := s.panel(t)
			panel = panel[strings.LastIndex(panel, "── call "):]
			require.True(t, fits(panel, w), panel)
		}
	}
	s.types(t, "r")
	_, exit := s.rest(t, "")
	require.Zero(t, exit)
}

// fits tells that no line is too long for a window, nor there are too many.
func fits(panel string, w pty.Winsize) bool {
	lines := strings.Split(panel, "\n")
	return len(lines) <= int(w.Rows) && !slices.ContainsFunc(lines, func(l string) bool {
		return utf8.RuneCountInString(l) > int(w.Cols)
	})
}

// TestPauseSuspended stops kit with Ctrl-Z under a shell, and brings it back.
func TestPauseSuspended(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	keys, tty, err := pty.Open()
	require.NoError(t, err)
	t.Setenv("HISTFILE", "")
	cmd := exec.Command("bash", "--norc", "--noediting", "-i")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	defer tty.Close()
	s := &session{&running{Cmd: cmd, in: keys, out: newLineReader(keys)}, keys}
	s.types(t, "stty -echo; PS1=; echo in$((1+1))\r")
	s.expect(t, "in2\r\n")
	s.types(t, "kit step 2 --pause --rootfs "+root+" -- /bin/true\r")
	for _, text := range []string{"call 1 ", "call 2 ", "in dieWithParent", "· Inside"} {
		s.keyUntil(t, "\r", text)
		s.types(t, "\x1a")
		s.expect(t, "Stopped")
		require.Contains(t, s.answer(t, "stty -a"), "isig icanon iexten -echo")
		s.types(t, "fg\r")
		require.Contains(t, bare(s.expect(t, panelEnd)), text)
		s.types(t, "\x0c") // draws it once more
	}
	s.panel(t)
	s.types(t, "r")
	s.expect(t, "in short")
	require.Regexp(t, `(^|\n)0$`, s.answer(t, "echo $?"))
	s.types(t, "exit\r")
	require.Zero(t, s.exit(t))
	keys.Close()
}

// TestPauseElsewhere has the trace written to files, and the dialog at the terminal.
func TestPauseElsewhere(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	file := filepath.Join(t.TempDir(), "trace")
	s := pausing(t, "2", "--rootfs", root, "--format=json", "--trace-file", file, "--", "/bin/true")
	s.keyUntil(t, "\r", "call    sethostname")
	s.types(t, "\r")
	require.Contains(t, s.panel(t), "hostname  ", "what it has changed")
	s.types(t, "q")
	_, exit := s.rest(t, "")
	require.Equal(t, 130, exit)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var end struct {
		Kind string
		Exit int
	}
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &end))
	require.Equal(t, "end", end.Kind)
	require.Equal(t, 130, end.Exit)
}

// TestPauseRefused asks for a dialog where there cannot be one.
func TestPauseRefused(t *testing.T) {
	cmd := exec.Command("kit", "step", "2", "--pause", "--", "/bin/true")
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	r := finish(t, cmd)
	require.Equal(t, 2, r.exit)
	require.Regexp(t, `^kit: --pause: needs a terminal; .*\n$`, r.err)
	require.Empty(t, r.out)
	refused(t, 2, "--pause: needs the trace: --trace=steps", "step", "2", "--pause", "--trace=off")
	refused(t, 2, "is not a number from 1 on", "step", "2", "--pause=0")
}
