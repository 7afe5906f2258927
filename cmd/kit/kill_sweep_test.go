//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/trace/ptrace"
	"github.com/containerkit/kit/internal/trace/syscalls"
)

// The sweep kills kit at the system calls that it makes, one a run: the process that is
// about to make the call, or the one that the user has started. What stays behind is what
// kit clean removes, or, without it, the next run of that name.
//
// It leaves out calls that only the process itself can notice: between two others it does
// not matter at which of them kit is killed. Of the others it takes some; KIT_SWEEP=full
// takes all, and kills both processes, which is some thousands of runs. KIT_SWEEP_STEP=3
// takes one step only, KIT_SWEEP_STEP=0 only kit clean.

// killLines are the command lines that are killed, one for each step and more.
func killLines(t testing.TB) []sweepLine {
	three := sweepLine{3, nil}
	if os.Geteuid() == 0 {
		three.Flags = []string{"--cpus", "2", "--device", "/dev/null"}
		if mayLimit(t, "memory") {
			three.Flags = append(three.Flags, "--memory", "64m")
		}
	}
	return []sweepLine{
		{1, nil},
		{2, []string{"--init", "--volume", "/etc:/mnt/there:ro", "--time-offset", "1h"}},
		three,
		{4, []string{"--layer", "/etc"}},
		{5, []string{"-p", "PORT:80"}},
		{6, []string{"-t"}},
	}
}

// TestKillSweep runs the sweep in a process that has mounts and a network of its own.
func TestKillSweep(t *testing.T) {
	if testing.Short() {
		t.Skip("some hundred runs")
	}
	root := ktest.Rootfs(t)
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestKillSweepWorker$", "-test.v",
		"-test.timeout=0")
	cmd.Args[0] = os.Args[0]
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	}
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool {
		return strings.HasPrefix(e, "KIT_TEST_NETWORK=")
	}), killSweepRoot+"="+root)
	if os.Getenv("KIT_SWEEP") == "full" {
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr // it takes an hour
		require.NoError(t, cmd.Run())
		return
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "kills") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

const killSweepRoot = "KIT_SWEEP_ROOT" // the root file system, for the worker

// TestKillSweepWorker does the work of TestKillSweep.
func TestKillSweepWorker(t *testing.T) {
	root := os.Getenv(killSweepRoot)
	if root == "" {
		t.Skip("belongs to TestKillSweep")
	}
	if os.Geteuid() == 0 {
		// As on most hosts; what is mounted in a container must not come out.
		require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""))
	}
	ktest.Clean(t)
	k := &killer{sweeper: newSweeper(t, fmt.Sprintf("kill%d", min(os.Geteuid(), 1))), root: root}
	all := 0
	for _, line := range killLines(t) {
		if only := os.Getenv("KIT_SWEEP_STEP"); only == "" || only == strconv.Itoa(line.Step) {
			all += k.sweep(line)
		}
	}
	if only := os.Getenv("KIT_SWEEP_STEP"); only == "" || only == "0" {
		all += k.sweepClean()
	}
	t.Logf("%d kills, %d that kit clean had to clean up after", all, k.left)
}

// A killer makes runs that are killed, and looks at what they leave.
type killer struct {
	*sweeper
	root string
	left int // kills after which kit clean found something to remove
	*death
}

// A death is that of a run.
type death struct {
	args   []string
	at     int  // the call: 1 is the first that any of kit's processes makes; 0: none
	first  bool // the process that the user has started is killed, not the caller
	place  string
	killed bool
	count  int // the calls that were made before
}

func (r *death) String() string {
	return fmt.Sprintf("kit %q, call %d: %s, first: %t", r.args, r.at, r.place, r.first)
}

// sweep kills runs of one command line, and returns how many.
func (k *killer) sweep(line sweepLine) (kills int) {
	args := line.args(k.root, k.name, "--trace=off")
	args = append(args[:slices.Index(args, "--")+1], "/bin/true")
	calls := k.calls(args)
	for _, c := range choose(calls) {
		if !k.kill(args, c) {
			continue // this run has made fewer calls
		}
		if kills++; c.again {
			k.again(args)
		} else {
			k.clean()
		}
	}
	k.t.Logf("step %d: %d kills, %d calls", line.Step, kills, calls)
	return kills
}

// kill kills one run, unless it makes fewer calls.
func (k *killer) kill(args []string, c choice) bool {
	k.death = &death{args: args, at: c.at, first: c.first}
	k.death.run(k.t)
	return k.killed
}

// sweepClean kills kit clean, after a run that was killed when it had most.
func (k *killer) sweepClean() (kills int) {
	args := append((sweepLine{6, nil}).args(k.root, k.name, "--trace=off"), "extra")
	args = append(args[:slices.Index(args, "--")+1], "/bin/sleep", "100")
	leave := func() {
		kit := exec.Command("kit", args...)
		require.NoError(k.t, kit.Start())
		require.Eventually(k.t, func() bool {
			all := list(k.t)
			return len(all) == 1 && all[0].Status == "running"
		}, 10*time.Second, 2*time.Millisecond)
		_ = unix.Kill(kit.Process.Pid, unix.SIGKILL)
		_ = kit.Wait()
		_ = ktest.Survivors(5 * time.Second)
	}
	leave()
	calls := k.calls([]string{"clean"})
	for _, c := range choose(calls) {
		leave()
		if k.kill([]string{"clean"}, c) {
			kills++
		}
		k.clean()
	}
	k.t.Logf("kit clean: %d kills, %d calls", kills, calls)
	return kills
}

// calls counts those of a run that is left alone.
func (k *killer) calls(args []string) int {
	probe := &death{args: args}
	exit := probe.run(k.t)
	require.Zero(k.t, exit, "%v", args)
	require.Equal(k.t, k.before, k.survey(2*time.Second))
	return probe.count
}

// A choice is a call to kill kit at.
type choice struct {
	at    int
	first bool // kill the process that the user has started
	again bool // go on without kit clean
}

// choose picks among n calls.
func choose(n int) (list []choice) {
	if os.Getenv("KIT_SWEEP") == "full" {
		for i := range n + n/20 { // runs are not all the same
			list = append(list, choice{at: i + 1}, choice{at: i + 1, first: true, again: true})
		}
		return list
	}
	const most = 20
	for i := range min(most, n) {
		list = append(list, choice{1 + i*n/min(most, n), i%2 == 0, i/2%2 == 0})
	}
	return list
}

// private are the calls that nobody but the process notices.
var private = strings.Fields(`nanosleep futex rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack
	mmap munmap madvise mprotect brk sched_yield sched_getaffinity getpid gettid getppid getuid
	geteuid getgid getegid getcwd getrandom getsockname getsockopt getrlimit prlimit64 getdents64
	epoll_create1 epoll_ctl epoll_pwait arch_prctl set_robust_list set_tid_address rseq uname fcntl
	read pread64 fstat newfstatat statfs fstatfs readlinkat readlink lseek access faccessat
	faccessat2 clock_gettime capget pipe2 dup dup2 dup3 tgkill personality ppoll poll`)

// clean has kit clean remove what is there.
func (k *killer) clean() {
	r := runKit(k.t, "clean")
	if r.exit != 0 || r.err != "" {
		k.t.Errorf("kit clean: exit %d: %s\n%v", r.exit, r.err, k.death)
	}
	if r.out != "" {
		k.left++
	}
	k.check("after kit clean: " + r.out)
}

// again makes the same run, which is to need nobody's help.
func (k *killer) again(args []string) {
	r := runKit(k.t, args...)
	if r.exit != 0 || r.err != "" {
		k.t.Errorf("a new run: exit %d: %s\n%v", r.exit, r.err, k.death)
	}
	k.check("after a new run")
}

// check wants nothing left.
func (k *killer) check(when string) {
	left := k.survey(2 * time.Second)
	if slices.Equal(left, k.before) {
		return
	}
	k.t.Errorf("left behind %s\n%v\n%s", when, k.death,
		difference(strings.Join(k.before, "\n"), strings.Join(left, "\n")))
	_ = runKit(k.t, "clean")
	k.before = k.survey(6 * time.Second)
}

// run runs kit, and kills it; it returns the exit status of kit.
func (r *death) run(t *testing.T) (exit int) {
	t.Helper()
	runtime.LockOSThread() // ptrace(2) is of a thread
	defer runtime.UnlockOSThread()
	path, err := exec.LookPath("kit")
	require.NoError(t, err)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	require.NoError(t, err)
	defer null.Close()
	env := append(os.Environ(), "GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1")
	pid, err := ptrace.Start(path, append([]string{"kit"}, r.args...), env,
		[]*os.File{null, null, null})
	require.NoError(t, err)
	timer := time.AfterFunc(30*time.Second, func() {
		t.Errorf("it hangs: %v", r)
		_ = unix.Kill(pid, unix.SIGKILL)
	})
	defer timer.Stop()
	d := &driver{death: r, root: pid, program: programFile(pid)}
	require.NoError(t, ptrace.Syscall(pid, 0))
	return d.loop()
}

// programFile is the file that a process runs.
func programFile(pid int) string {
	var st unix.Stat_t
	if unix.Stat("/proc/"+strconv.Itoa(pid)+"/exe", &st) != nil {
		return ""
	}
	return fmt.Sprint(st.Dev, st.Ino)
}

// A driver has kit and all that it starts stop at each system call, until one is killed.
type driver struct {
	*death
	root    int
	program string // kit's
}

// loop returns kit's exit status.
func (d *driver) loop() (exit int) {
	for {
		tid, status, err := ptrace.Wait(false)
		if err != nil {
			return exit // none is left
		}
		switch {
		case !status.Stopped():
			if tid == d.root {
				exit = status.ExitStatus()
			}
		case ptrace.Event(status) == unix.PTRACE_EVENT_EXEC && programFile(tid) != d.program:
			_ = ptrace.Detach(tid) // the command, which is not kit
		default:
			d.stopped(tid, status)
		}
	}
}

func (d *driver) stopped(tid int, status unix.WaitStatus) {
	signal := status.StopSignal()
	switch {
	case signal == ptrace.SyscallStop:
		signal = 0
		d.syscall(tid)
	case ptrace.Event(status) == unix.PTRACE_EVENT_STOP && signal != unix.SIGTRAP:
		_ = ptrace.Listen(tid)
		return
	case ptrace.Event(status) != 0:
		signal = 0
	}
	if d.killed {
		_ = ptrace.Cont(tid, signal)
	} else {
		_ = ptrace.Syscall(tid, signal)
	}
}

// syscall counts a call that begins, and kills at the one that is to be the last.
func (d *driver) syscall(tid int) {
	var info ptrace.Info
	if d.killed || info.Read(tid) != nil || info.Op != unix.PTRACE_SYSCALL_INFO_ENTRY {
		return
	}
	name := syscalls.Names()[info.Number()]
	if slices.Contains(private, name) {
		return
	}
	if d.count++; d.count != d.at {
		return
	}
	d.place, d.killed = fmt.Sprintf("%s of process %d of %d", name, tid, d.root), true
	if d.first {
		tid = d.root
	}
	_ = unix.Kill(processOf(tid), unix.SIGKILL)
}

// processOf is the process of a thread.
func processOf(tid int) int {
	text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(tid), "status"))
	_, rest, _ := strings.Cut(string(text), "\nTgid:")
	pid, err := strconv.Atoi(strings.Fields(rest + " 0")[0])
	if err != nil || pid == 0 {
		return tid
	}
	return pid
}
