//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
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

// startLoad starts a load and waits for the first line that it prints. It is
// ended with the test.
func startLoad(t *testing.T, args ...string) (load *running, line string) {
	t.Helper()
	load = &running{Cmd: exec.Command("kit", args...)}
	stdout, err := load.StdoutPipe()
	require.NoError(t, err)
	load.Stderr = os.Stderr
	require.NoError(t, load.Start())
	t.Cleanup(func() {
		_ = load.Process.Kill()
		load.exit(t)
	})
	load.out = newLineReader(stdout)
	return load, strings.TrimSpace(load.expect(t, "\n"))
}

func TestServe(t *testing.T) {
	ktest.Clean(t)
	host, err := os.Hostname()
	require.NoError(t, err)
	load, line := startLoad(t, "lab", "serve", "--addr", "127.0.0.1:0", "--udp")
	addr := strings.TrimPrefix(line, "listening on ")

	for range 3 {
		resp, err := http.Get("http://" + addr + "/any/path")
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, fmt.Sprintf("%s\n%s\n%d\n", host, addr, load.Process.Pid), string(body))
	}

	conn, err := net.Dial("udp", addr)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	_, err = conn.Write([]byte("hello"))
	require.NoError(t, err)
	reply := make([]byte, 1000)
	n, err := conn.Read(reply)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%s\n%d\nhello", host, load.Process.Pid), string(reply[:n]))
}

// TestLoadsEndOnSignals as an ordinary process and as PID 1, for which a signal
// does nothing that has no handler.
func TestLoadsEndOnSignals(t *testing.T) {
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	for _, args := range [][]string{
		{"serve", "--addr", "127.0.0.1:0"}, {"burn", "--report", "0.05"}, {"eat", "1m"}, {"fork", "3"},
	} {
		for _, signal := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP} {
			t.Run(args[0]+" "+unix.SignalName(signal), func(t *testing.T) {
				load, _ := startLoad(t, append([]string{"lab"}, args...)...)
				require.NoError(t, load.Process.Signal(signal))
				require.Equal(t, 128+int(signal), load.exit(t))

				first, _ := startLoad(t, append([]string{
					"step", "2", "--trace=off", "--rootfs", root, "--", "/bin/kit", "lab",
				}, args...)...)
				require.NoError(t, first.Process.Signal(signal))
				require.Equal(t, 128+int(signal), first.exit(t))
			})
		}
	}
}

// TestIgnoredSignalsStayIgnored: who was started under nohup(1) is not ended by SIGHUP.
func TestIgnoredSignalsStayIgnored(t *testing.T) {
	cmd := exec.Command("sh", "-c", "trap '' HUP; exec kit lab burn --report 0.05")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	out := newLineReader(stdout)
	out.expect(t, "CPUs")
	require.NoError(t, cmd.Process.Signal(unix.SIGHUP))
	out.expect(t, "CPUs")
	out.expect(t, "CPUs")
	require.NoError(t, cmd.Process.Signal(unix.SIGTERM))
	_ = cmd.Wait()
	require.Equal(t, 143, exitStatus(cmd.ProcessState))
}

// TestForkedProcesses have one thread each, can be ended, and end with kit.
func TestForkedProcesses(t *testing.T) {
	ktest.Clean(t)
	load, line := startLoad(t, "lab", "fork", "10")
	require.Regexp(t, "^forked 10 of 10 processes;", line)
	pids := descendants(t, load.Process.Pid)[1:]
	require.Len(t, pids, 10)
	for _, pid := range pids {
		require.Equal(t, "1", status(t, pid, "Threads"))
	}
	require.NoError(t, unix.Kill(pids[0], unix.SIGTERM))
	left := func(n int) func() bool { return func() bool { return len(alive(pids)) == n } }
	require.Eventually(t, left(9), 5*time.Second, time.Millisecond)
	require.NoError(t, load.Process.Kill())
	require.Eventually(t, left(0), 5*time.Second, time.Millisecond)
}

// TestForkStopsAtTheLimit, and says which error stopped it.
func TestForkStopsAtTheLimit(t *testing.T) {
	ktest.Root(t)
	dir := testCgroup(t, "pids")
	require.NoError(t, os.WriteFile(dir+"/pids.max", []byte("20"), 0o644))
	cmd := exec.Command("sh", "-c", "echo $$ >"+dir+"/cgroup.procs; exec kit lab fork 60 --exit")
	r := finish(t, cmd)
	require.Zero(t, r.exit, r.err)
	require.Regexp(t, `^forked 1[3-6] of 60 processes: fork: EAGAIN `+
		`\(resource temporarily unavailable\); with kit's own [4-7] threads 20 tasks\n$`, r.out)
}

// TestBurnUsesOneCPU whatever the machine has.
func TestBurnUsesOneCPU(t *testing.T) {
	r := runKit(t, "lab", "burn", "--report", "1", "--for", "1")
	require.Zero(t, r.exit, r.err)
	number, _, _ := strings.Cut(r.out, " ")
	cpus, err := strconv.ParseFloat(number, 64)
	require.NoError(t, err, r.out)
	require.InDelta(t, 0.7, cpus, 0.6, "one CPU, or what a busy machine leaves")
}
