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

// The sweep kills kit at each system call that it makes, one a run: the process that is
// about to make the call, or the one that the user has started. What stays behind is what
// kit clean removes, or, without it, the next run of that name.
//
// It takes some of the calls that can change anything outside of the process.
// KIT_SWEEP=full takes every call of all, in both ways, with both ends: some thousands of
// runs. KIT_SWEEP_STEP=3 takes one step only.

// killLines are the command lines that are killed, one for each step and more.
func killLines() []sweepLine {
	three := sweepLine{3, nil}
	if os.Geteuid() == 0 {
		three.Flags = []string{"--memory", "64m", "--cpus", "0.5", "--device", "/dev/null"}
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
	k := &killer{sweeper: newSweeper(t, fmt.Sprintf("kill%d", os.Geteuid()%10)), root: root}
	all := 0
	for _, line := range killLines() {
		if only := os.Getenv("KIT_SWEEP_STEP"); only == "" || only == strconv.Itoa(line.Step) {
			all += k.sweep(line)
		}
	}
	all += k.sweepClean()
	t.Logf("%d kills", all)
}

// A killer makes runs that are killed, and looks at what they leave.
type killer struct {
	*sweeper
	root string
	kill *death
}

// A death is that of a run.
type death struct {
	args   []string
	at     int  // the call: 1 is the first that any of kit's processes makes
	first  bool // the process that the user has started is killed, not the caller
	place  string
	killed bool
	names  []string // the calls that were made, where nothing is killed
}

func (k *death) String() string {
	return fmt.Sprintf("kit %q, call %d: %s, first: %t", k.args, k.at, k.place, k.first)
}

// sweep kills runs of one command line, and returns how many.
func (k *killer) sweep(line sweepLine) (kills int) {
	args := line.args(k.root, k.name, "--trace=off")
	args = append(args[:slices.Index(args, "--")+1], "/bin/true")
	for _, c := range choose(k.calls(args)) {
		for _, end := range c.ends {
			k.kill = &death{args: args, at: c.at, first: c.first}
			k.kill.run(k.t)
			if !k.kill.killed {
				continue // this run has made fewer calls
			}
			kills++
			if end == again {
				k.again(args)
			} else {
				k.clean()
			}
		}
	}
	k.t.Logf("step %d: %d kills", line.Step, kills)
	return kills
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
		k.kill = &death{args: []string{"clean"}, at: c.at, first: c.first}
		k.kill.run(k.t)
		if k.kill.killed {
			kills++
		}
		k.clean()
	}
	k.t.Logf("clean: %d kills", kills)
	return kills
}

// calls are those of a run that is left alone.
func (k *killer) calls(args []string) []string {
	probe := &death{args: args}
	exit := probe.run(k.t)
	require.Zero(k.t, exit, "%v", args)
	require.Equal(k.t, k.before, k.survey(2*time.Second))
	return probe.names
}

// The ways to go on after a kill.
const (
	byClean = "kit clean"
	again   = "again"
)

// A choice is a call to kill kit at.
type choice struct {
	at    int
	first bool
	ends  []string
}

// choose picks the calls to kill kit at: with KIT_SWEEP=full all of them.
func choose(names []string) (list []choice) {
	if os.Getenv("KIT_SWEEP") == "full" {
		for i := range len(names) + len(names)/20 { // runs are not all the same
			for _, first := range []bool{false, true} {
				list = append(list, choice{i + 1, first, []string{byClean, again}})
			}
		}
		return list
	}
	var telling []int
	for i, name := range names {
		if changes(name) {
			telling = append(telling, i+1)
		}
	}
	const most = 24
	for i := range min(most, len(telling)) {
		at := telling[i*len(telling)/min(most, len(telling))]
		list = append(list, choice{at, i%2 == 0, []string{[]string{byClean, again}[i/2%2]}})
	}
	return list
}

// changes tells that a system call may change anything outside of the process: between
// two of those it does not matter at which call kit is killed.
func changes(name string) bool {
	switch name {
	case "mkdirat", "mkdir", "rmdir", "unlinkat", "unlink", "renameat", "rename", "openat", "write",
		"pwrite64", "sendto", "sendmsg", "mount", "umount2", "pivot_root", "chroot", "clone", "clone3",
		"fork", "unshare", "setns", "bpf", "ioctl", "flock", "close", "fchownat", "chmod", "fchmod",
		"mknodat", "symlinkat", "execve", "execveat", "wait4", "waitid", "kill", "exit_group", "socket",
		"open_tree", "move_mount", "mount_setattr", "sethostname", "shutdown", "connect":
		return true
	}
	return false
}

// clean has kit clean remove what is there.
func (k *killer) clean() {
	r := runKit(k.t, "clean")
	if r.exit != 0 || r.err != "" {
		k.t.Errorf("kit clean: exit %d: %s\n%v", r.exit, r.err, k.kill)
	}
	k.check("after kit clean: " + r.out)
}

// again makes the same run, which is to need nobody's help.
func (k *killer) again(args []string) {
	r := runKit(k.t, args...)
	if r.exit != 0 || r.err != "" {
		k.t.Errorf("a new run: exit %d: %s\n%v", r.exit, r.err, k.kill)
	}
	k.check("after a new run")
}

// check wants nothing left.
func (k *killer) check(when string) {
	left := k.survey(2 * time.Second)
	if slices.Equal(left, k.before) {
		return
	}
	k.t.Errorf("left behind %s\n%v\n%s", when, k.kill,
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
	count   int
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
	if d.count++; d.at == 0 {
		d.names = append(d.names, name)
	}
	if d.count != d.at {
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
