//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// A result is what a run of kit left: its output and its exit status.
type result struct {
	out, err string
	exit     int
}

// runKit runs kit with empty input and waits for it.
func runKit(t testing.TB, args ...string) result {
	t.Helper()
	return finish(t, exec.Command("kit", args...))
}

// finish runs a command to its end, which it must reach within two minutes: some machines
// are emulated.
func finish(t testing.TB, cmd *exec.Cmd) result {
	t.Helper()
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	cmd.WaitDelay = time.Second
	require.NoError(t, cmd.Start())
	timer := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Wait()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return result{out.String(), stderr.String(), exitStatus(cmd.ProcessState)}
}

// exitStatus is 128+N for a process that signal N ended, as in a shell.
func exitStatus(state *os.ProcessState) int {
	status := unix.WaitStatus(state.ExitCode())
	if ws, ok := state.Sys().(interface{ Signal() unix.Signal }); ok && ws.Signal() > 0 {
		return 128 + int(ws.Signal())
	}
	return int(status)
}

// untraced is a command line of kit step: flags, and a shell script as command.
func untraced(step int, root, script string, flags ...string) []string {
	args := []string{"step", strconv.Itoa(step), "--trace=off", "--rootfs", root}
	return append(append(args, flags...), "--", "/bin/sh", "-c", script)
}

// inside runs a shell script in a container, which must succeed without a word
// on standard error, and returns its output without the last newline.
func inside(t testing.TB, step int, root, script string, flags ...string) string {
	t.Helper()
	r := runKit(t, untraced(step, root, script, flags...)...)
	require.Zero(t, r.exit, r.err)
	require.Empty(t, r.err)
	return strings.TrimSuffix(r.out, "\n")
}

// refused runs kit, which must fail with status exit and one line that contains
// cause, and hints but nothing else below it.
func refused(t testing.TB, exit int, cause string, args ...string) {
	t.Helper()
	r := runKit(t, args...)
	require.Equal(t, exit, r.exit, r.err)
	require.Empty(t, r.out)
	lines := strings.Split(strings.TrimSuffix(r.err, "\n"), "\n")
	require.True(t, strings.HasPrefix(lines[0], "kit: "), r.err)
	require.Contains(t, lines[0], cause)
	for _, line := range lines[1:] {
		require.True(t, strings.HasPrefix(line, "hint: "), r.err)
	}
}

// A running is a kit that runs while the test goes on.
type running struct {
	*exec.Cmd
	in  io.Closer
	out *lineReader
}

// start starts kit and waits until its command prints "ready". The command is
// expected to end with its input, at the end of the test.
func start(t testing.TB, args ...string) *running {
	t.Helper()
	r := &running{Cmd: exec.Command("kit", args...)}
	stdout, err := r.StdoutPipe()
	require.NoError(t, err)
	r.in, err = r.StdinPipe()
	require.NoError(t, err)
	r.Stderr = os.Stderr
	require.NoError(t, r.Start())
	t.Cleanup(func() { r.end(t) })
	r.out = newLineReader(stdout)
	r.expect(t, "ready")
	return r
}

// expect waits until the output contains text.
func (r *running) expect(t testing.TB, text string) string {
	t.Helper()
	return r.out.expect(t, text)
}

// end lets the command end, and kit with it.
func (r *running) end(t testing.TB) int {
	t.Helper()
	r.in.Close()
	return r.exit(t)
}

// exit waits for kit to end.
func (r *running) exit(t testing.TB) int {
	t.Helper()
	if r.ProcessState != nil {
		return exitStatus(r.ProcessState)
	}
	timer := time.AfterFunc(10*time.Second, func() { _ = r.Process.Kill() })
	defer timer.Stop()
	_ = r.Wait()
	return exitStatus(r.ProcessState)
}

// A lineReader collects output, and lets a test wait for a part of it.
type lineReader struct {
	data chan []byte
	seen []byte
}

func newLineReader(from interface{ Read([]byte) (int, error) }) *lineReader {
	r := &lineReader{data: make(chan []byte, 1024)}
	go func() {
		defer close(r.data)
		for {
			buf := make([]byte, 4096)
			n, err := from.Read(buf)
			r.data <- buf[:n]
			if err != nil {
				return
			}
		}
	}()
	return r
}

// has tells whether the output that is there already contains text.
func (r *lineReader) has(text string) bool {
	for {
		select {
		case data := <-r.data:
			r.seen = append(r.seen, data...)
			if data != nil {
				continue
			}
		default:
		}
		return bytes.Contains(r.seen, []byte(text))
	}
}

// expect waits until what has not been expected yet contains text, and returns
// what came up to and including it.
func (r *lineReader) expect(t testing.TB, text string) string {
	t.Helper()
	timeout := time.After(time.Minute)
	for {
		if i := bytes.Index(r.seen, []byte(text)); i >= 0 {
			before := string(r.seen[:i+len(text)])
			r.seen = r.seen[i+len(text):]
			return before
		}
		select {
		case data, ok := <-r.data:
			if !ok {
				require.FailNow(t, "the output has ended", "without %q: %q", text, r.seen)
			}
			r.seen = append(r.seen, data...)
		case <-timeout:
			require.FailNow(t, "no such output", "%q in %q", text, r.seen)
		}
	}
}

// eachStep runs a test in a container of every step.
func eachStep(t *testing.T, test func(t *testing.T, step int)) {
	t.Helper()
	for step := 1; step <= 2; step++ {
		t.Run(fmt.Sprint("step", step), func(t *testing.T) { test(t, step) })
	}
}

// variants runs a test at every step, and with an init at step 2.
func variants(t *testing.T, test func(t *testing.T, step int, flags ...string)) {
	t.Helper()
	ktest.Clean(t)
	eachStep(t, func(t *testing.T, step int) { test(t, step) })
	t.Run("init", func(t *testing.T) { test(t, 2, "--init") })
}
