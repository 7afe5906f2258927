//go:build linux

package main

import (
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/state"
	"github.com/containerkit/kit/internal/trace"
)

// confines is what a process is confined by, as the kernel tells it to the host.
func confines(t *testing.T, pid int) map[string]string {
	t.Helper()
	facts := map[string]string{}
	for _, kind := range procfs.Kinds() {
		link, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
		if !os.IsNotExist(err) { // an old kernel's
			require.NoError(t, err)
			facts["ns "+kind] = link
		}
	}
	var root unix.Stat_t
	require.NoError(t, unix.Stat(fmt.Sprintf("/proc/%d/root", pid), &root))
	facts["root"] = fmt.Sprint(root.Dev, " ", root.Ino)
	for _, file := range []string{"cgroup", "oom_score_adj", "limits"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		require.NoError(t, err)
		facts[file] = string(text)
	}
	for _, field := range []string{
		"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
		"NoNewPrivs", "Seccomp",
	} {
		facts[field] = status(t, pid, field)
	}
	return facts
}

// enterable makes a static kit the one of this test where the test binary is not, as
// with the race detector: inside there is no linker for it.
func enterable(t *testing.T) {
	t.Helper()
	self, err := elf.Open("/proc/self/exe")
	require.NoError(t, err)
	defer self.Close()
	for _, part := range self.Progs {
		if part.Type == elf.PT_INTERP {
			kit := ktest.Build(t, "github.com/containerkit/kit/cmd/kit")
			t.Setenv("PATH", filepath.Dir(kit)+":"+os.Getenv("PATH"))
		}
	}
}

// lowFiles gives what the test starts less open files than it may have, as users get: Go
// raises the limit for itself.
func lowFiles(t *testing.T) {
	t.Helper()
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	low := unix.Rlimit{Cur: limit.Max / 2, Max: limit.Max}
	require.NoError(t, syscall.Setrlimit(unix.RLIMIT_NOFILE, (*syscall.Rlimit)(&low)))
	t.Cleanup(func() {
		_ = syscall.Setrlimit(unix.RLIMIT_NOFILE, &syscall.Rlimit{Cur: limit.Cur, Max: limit.Max})
	})
}

// TestEnterIsTheSame compares a command that has entered with the container's own.
func TestEnterIsTheSame(t *testing.T) {
	enterable(t)
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	lines := []string{
		"1", "2", "2 --init", "3", "4", "6", "6 --net=none --ipc=host --pid=host",
		"6 --security-opt=seccomp=unconfined --cap-drop=all --cap-add=chown",
	}
	if os.Geteuid() == 0 {
		lines = append(lines, "2 --userns=remap", "6 --userns=remap", "6 --user=1000",
			"6 --memory=64m --pids-limit=50 --oom-score-adj=77 --ulimit=nofile=99",
			"2 --time-offset=36h")
	}
	for _, line := range lines {
		t.Run(strings.ReplaceAll(line, " ", ""), func(t *testing.T) {
			if strings.Contains(line, "--memory") {
				needLimits(t, "memory", "pids")
			}
			if strings.Contains(line, "--time-offset") {
				ktest.RequireRelease(t, 6, 2)
			}
			words := strings.Fields(line)
			flags := append(words[1:], "--name", "box")
			lowFiles(t)
			kit := start(t, untraced(int(words[0][0]-'0'), root, "echo ready; exec cat", flags...)...)
			first := payload(t, kit.Process.Pid, "cat")[0]
			enter := start(t, "enter", "box", "--", "/bin/sh", "-c", "echo ready; exec cat")
			entered := payload(t, enter.Process.Pid, "cat")[0]
			require.Equal(t, confines(t, first), confines(t, entered))
			require.Zero(t, enter.end(t))
			require.Zero(t, kit.end(t))
		})
	}
}

// TestEnterFlagsAndStatus has the command's surroundings, and what becomes of it.
func TestEnterFlagsAndStatus(t *testing.T) {
	enterable(t)
	root := ktest.Rootfs(t)
	eachStep(t, func(t *testing.T, step int) {
		ktest.Clean(t)
		flags := []string{"--name", "box", "-e", "A=1", "-w", "/etc"}
		start(t, untraced(step, root, "echo ready; exec cat", flags...)...)
		script := "echo $A $B $PWD $HOSTNAME; exit 7"
		r := runKit(t, "enter", "box", "-e", "B=2", "--", "/bin/sh", "-c", script)
		require.Equal(t, result{"1 2 /etc box\n", "", 7}, r)
		r = runKit(t, "enter", "-w", "/bin", "-e", "A=3", "box", "/bin/sh", "-c", script)
		require.Equal(t, result{"3 /bin box\n", "", 7}, r)
		require.Equal(t, 143, runKit(t, "enter", "box", "--", "/bin/sh", "-c", "kill $$").exit)
		refused(t, 127, "execve nosuch: not found", "enter", "box", "nosuch")
		refused(t, 126, "execve /etc", "enter", "box", "/etc")
		refused(t, 125, "chdir /nosuch", "enter", "box", "-w", "/nosuch", "true")
		refused(t, 125, `enter none: no container "none": running are box`, "enter", "none")
		refused(t, 2, "the command is empty", "enter", "box", "")
	})
}

// TestEnterTerminal types into a shell in the container.
func TestEnterTerminal(t *testing.T) {
	enterable(t)
	root := ktest.Rootfs(t)
	eachStep(t, func(t *testing.T, step int) {
		ktest.Clean(t)
		start(t, untraced(step, root, "echo ready; exec cat", "--name", "box")...)
		for _, flags := range [][]string{{"-t"}, nil} {
			s := atTerminal(t, append([]string{"enter", "box"}, flags...)...)
			s.expect(t, "# ")
			_, err := s.keys.WriteString("test -t 0 && echo term''inal; exit 3\n")
			require.NoError(t, err)
			s.expect(t, "terminal")
			require.Equal(t, 3, s.exit(t))
		}
	})
}

// TestKilledEnterEndsTheCommand, and the container lives on.
func TestKilledEnterEndsTheCommand(t *testing.T) {
	enterable(t)
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	start(t, untraced(6, root, "echo ready; exec cat", "--name", "box")...)
	enter := start(t, "enter", "box", "--", "/bin/sh", "-c", "echo ready; exec sleep 1000")
	family := payload(t, enter.Process.Pid, "sleep")
	require.NoError(t, enter.Process.Kill())
	require.Equal(t, 137, enter.exit(t))
	// We are the reaper of its orphans: until then it keeps its PID namespace.
	_, err := unix.Wait4(family[0], nil, 0, nil)
	require.NoError(t, err)
	s, err := state.Load("box")
	require.NoError(t, err)
	require.True(t, s.Running())
}

// TestEnterTraced: the observer tells how a command gets in.
func TestEnterTraced(t *testing.T) {
	root := ktest.Rootfs(t)
	eachStep(t, func(t *testing.T, step int) {
		ktest.Clean(t)
		start(t, untraced(step, root, "echo ready; exec cat", "--name", "box")...)
		file := filepath.Join(t.TempDir(), "trace")
		r := runKit(t, "enter", "box", "--trace=steps", "--format=json", "--trace-file", file,
			"--", "/bin/sh", "-c", "echo in; exit 7")
		require.Equal(t, result{"in\n", "", 7}, r)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		calls := map[string]bool{}
		for line := range strings.Lines(string(text)) {
			var e trace.Event
			require.NoError(t, json.Unmarshal([]byte(line), &e))
			if e.Class == trace.Lesson && e.Call != "" {
				require.NotEmpty(t, e.Why, line)
				calls[e.Call] = true
			}
		}
		require.Equal(t, step > 1 || os.Geteuid() != 0, calls["setns"])
		require.True(t, calls["chroot"] && calls["execve"], calls)
		refused(t, 2, "--trace all: not one of steps, off", "enter", "box", "--trace=all")
	})
}

// TestKilledEnterTraced: what the observer watches ends with it, and the container
// lives on.
func TestKilledEnterTraced(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	kit := start(t, untraced(6, root, "echo ready; exec cat", "--name", "box")...)
	enter := start(t, "enter", "box", "--trace=steps", "--trace-file", os.DevNull, "--",
		"/bin/sh", "-c", "echo ready; exec sleep 1000")
	payload(t, enter.Process.Pid, "sleep")
	family := descendants(t, enter.Process.Pid)
	require.NoError(t, enter.Process.Kill())
	require.Equal(t, 137, enter.exit(t))
	require.Eventually(t, func() bool { return alive(family) == nil }, 5*time.Second, time.Millisecond)
	for _, pid := range family[1:] {
		// We are the reaper of orphans: until then they keep their PID namespace.
		_, _ = unix.Wait4(pid, nil, 0, nil)
	}
	require.Zero(t, kit.end(t))
}

// TestEnterFailsAtOnce: only where the container is about to end is a failure not told
// before that is over.
func TestEnterFailsAtOnce(t *testing.T) {
	ktest.RequireTool(t, "unshare")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	kit := start(t, untraced(2, root, "echo ready; cat", "--name", "box")...)
	quickest := func(exit int, command ...string) time.Duration {
		took := time.Hour
		for range 3 {
			begin := time.Now()
			r := finish(t, exec.Command(command[0], command[1:]...))
			took = min(took, time.Since(begin))
			require.Equal(t, exit, r.exit, r.err)
		}
		return took
	}
	works := quickest(0, "kit", "enter", "box", "--", "true")
	fails := quickest(125, "unshare", "-Ur", "kit", "enter", "box", "--", "true")
	require.Less(t, fails, works+400*time.Millisecond)
	require.Zero(t, kit.end(t))
}
