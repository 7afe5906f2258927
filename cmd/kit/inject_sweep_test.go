//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/trace"
)

// The sweep makes each lesson call fail that builds a container and takes it down, one
// a run. A failed call must end kit with a clear message and nothing left behind, or,
// where a step can do without, with a container that has all that it should.
//
// It takes one call of each statement, the errnos in turn. KIT_SWEEP=full takes every
// call with every errno, which is some thousands of runs.

// sweepErrnos are what the calls fail with.
func sweepErrnos() []unix.Errno {
	return []unix.Errno{unix.EPERM, unix.ENOMEM, unix.EINVAL, unix.ENOSPC}
}

// A sweepLine is a command line of which all calls are made to fail.
type sweepLine struct {
	Step  int
	Flags []string
}

// sweepLines are chosen to come by most statements there are, the richest first.
func sweepLines() []sweepLine {
	six := []string{
		"-p", "PORT:80", "--volume", os.TempDir() + ":/mnt/there:ro", "--workdir", "/mnt",
		"--time-offset", "1h", "--ulimit", "nofile=100", "--oom-score-adj", "100",
	}
	if os.Geteuid() == 0 {
		six = append(six, "--memory", "64m", "--cpus", "0.5", "--pids-limit", "50",
			"--user", "1000", "--device", "/dev/null")
	}
	lines := []sweepLine{
		{6, six},
		{6, []string{"--init"}},
		{6, nil},
		{6, []string{"-t"}},
		{6, []string{"--layer", "/etc", "--upper", "UPPER", "--cap-drop", "ALL"}},
		{6, []string{"--security-opt", "no-new-privileges=false"}},
	}
	if os.Geteuid() == 0 {
		lines = append(lines, sweepLine{6, []string{"--userns", "remap"}})
	}
	lines = append(lines, sweepLine{2, nil}, sweepLine{1, nil}, sweepLine{3, nil}, sweepLine{4, nil},
		sweepLine{5, []string{"--net", "none"}}, sweepLine{5, nil})
	if os.Geteuid() == 0 {
		lines = append(lines, sweepLine{2, []string{"--userns", "remap"}})
	}
	return lines
}

// A sweepRun makes one call fail.
type sweepRun struct {
	Line  sweepLine
	Root  string
	Call  string
	N     int
	Errno unix.Errno
	Place string // where the call is made, as far as runs are the same
}

func (r sweepRun) String() string {
	return fmt.Sprintf("step %d %s --inject %s:%s:%d (%s)", r.Line.Step,
		strings.Join(r.Line.Flags, " "), r.Call, unix.ErrnoName(r.Errno), r.N, r.Place)
}

const (
	sweepJobs = "KIT_SWEEP_JOBS" // the file with the runs, for a worker
	sweepPart = "KIT_SWEEP_PART" // which of them are the worker's: "1/2"
)

// TestInjectSweep shares the runs out among workers, each in a process and a network
// namespace of its own.
func TestInjectSweep(t *testing.T) {
	if testing.Short() {
		t.Skip("some hundred runs")
	}
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	runs := plan(t, root)
	text, err := json.Marshal(runs)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "runs")
	require.NoError(t, os.WriteFile(file, text, 0o644))
	var all sync.WaitGroup
	workers := min(2, runtime.NumCPU())
	for i := range workers {
		all.Add(1)
		go func() {
			defer all.Done()
			cmd := exec.Command("/proc/self/exe", "-test.run=^TestInjectSweepWorker$", "-test.v")
			cmd.Args[0] = os.Args[0]
			if os.Geteuid() == 0 {
				// Others mount, too, while this runs.
				cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
			}
			cmd.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool {
				return strings.HasPrefix(e, "KIT_TEST_NETWORK=")
			}), sweepJobs+"="+file, fmt.Sprintf("%s=%d/%d", sweepPart, i, workers))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("worker %d: %v\n%s", i, err, out)
			}
		}()
	}
	all.Wait()
	t.Logf("%d runs", len(runs))
}

// plan chooses what fails: it sees which calls there are in runs in which none does.
func plan(t *testing.T, root string) (runs []sweepRun) {
	full := os.Getenv("KIT_SWEEP") == "full"
	errnos := sweepErrnos()
	seen := map[string]bool{}
	for _, line := range sweepLines() {
		n, again := map[string]int{}, map[string]int{}
		for _, e := range lessonCalls(t, root, line) {
			n[e.Call]++
			place := fmt.Sprintf("%s:%d %s", e.File, e.Line, e.Moment)
			key := place + e.Call
			if again[key]++; full {
				key += strconv.Itoa(again[key])
			}
			if !trace.CanFail(e.Call) || seen[key] {
				continue
			}
			seen[key] = true
			run := sweepRun{line, root, e.Call, n[e.Call], errnos[len(runs)%len(errnos)], place}
			if !full {
				runs = append(runs, run)
				continue
			}
			for _, run.Errno = range errnos {
				runs = append(runs, run)
			}
		}
	}
	return runs
}

// lessonCalls are a run's, in the order in which they begin.
func lessonCalls(t *testing.T, root string, line sweepLine) (calls []trace.Event) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace.json")
	r := runKit(t, line.args(root, "plan", "--format=json", "--trace-file", file)...)
	require.Zero(t, r.exit, r.err)
	removeUpper()
	record, err := os.ReadFile(file)
	require.NoError(t, err)
	for text := range strings.Lines(string(record)) {
		var e trace.Event
		require.NoError(t, json.Unmarshal([]byte(text), &e))
		if e.Kind == trace.Syscall && e.Class == trace.Lesson {
			calls = append(calls, e)
		}
	}
	slices.SortStableFunc(calls, func(a, b trace.Event) int { return int(a.T - b.T) })
	return calls
}

// args are the line's, with a command that tells what the container has.
func (l sweepLine) args(root, name string, flags ...string) []string {
	args := []string{"step", strconv.Itoa(l.Step), "--rootfs", root, "--name", name}
	// Without root the port is the machine's, and so each worker has its own.
	own := strings.NewReplacer("PORT", "1808"+strconv.Itoa(int(name[len(name)-1])%10),
		"UPPER", upper())
	for _, flag := range append(l.Flags, flags...) {
		args = append(args, own.Replace(flag))
	}
	return append(args, "--", "/bin/sh", "-c", portrait)
}

// upper is a directory for --upper, which stays when the container has gone.
func upper() string { return filepath.Join(os.Getenv("KIT_CACHE"), "upper") }

func removeUpper() { _ = os.RemoveAll(upper()) }

// portrait prints all that a container is to have.
const portrait = `exec 2>/dev/null
	id; hostname; umask; pwd; ls /proc/self/fd | wc -l; ls -l /dev/. /dev/pts | wc -l
	grep -E '^(Cap|Seccomp|NoNew|Groups|Uid|Gid)' /proc/self/status
	awk '{print $5, $6}' /proc/self/mountinfo | sort
	ip -4 -o addr show; ip route; cat /proc/sys/net/ipv4/ip_unprivileged_port_start
	cat /etc/hosts /etc/resolv.conf /etc/hostname; ulimit -a; cat /proc/self/oom_score_adj
	cd /sys/fs/cgroup && cat */devices.list */memory.limit_in_bytes */cpu.cfs_quota_us */pids.max \
		pids.max cpu.max memory.max
	exit 0`
