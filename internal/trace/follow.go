package trace

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/ptrace"
	"github.com/containerkit/kit/internal/trace/state"
)

// follow stays with the command, which th has just become: with all threads and
// processes that it makes. Each of its system calls stops it, and those that have to
// do with containers are recorded.
func (t *tracer) follow(th *thread) {
	th.inCall = false
	th.proc.command = true
	t.free(th)
	t.note(th, fmt.Sprintf("followed: the command's own container calls are recorded, and each "+
		"system call takes longer. kill -USR1 %d lets it run untraced", os.Getpid()))
	t.watch(th.proc.pid)
	t.recorder.flush() // before the command prints anything
	t.resume(th, 0)
}

// enterCommand is enter for a call of the command. Like that, it returns true when
// it has detached the thread.
func (t *tracer) enterCommand(th *thread) (detached bool) {
	c := &th.call
	c.site, c.class = t.command, Command
	// A server opens many sockets, and few of them are of netlink.
	if len(t.sockets) > 1000 {
		clear(t.sockets)
	}
	if c.emitted = !c.aboutContainers(); c.emitted {
		return false
	}
	t.readCall(th)
	t.log.Mark()
	return c.isExec() && t.enterExec(th)
}

// inOthers are the flags of clone that put the new process elsewhere than its parent.
const inOthers = unix.CLONE_NEWCGROUP | unix.CLONE_NEWIPC | unix.CLONE_NEWNET |
	unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWTIME | unix.CLONE_NEWUSER |
	unix.CLONE_NEWUTS | unix.CLONE_INTO_CGROUP

// aboutContainers tells of a call of the command that it builds a container, enters
// or leaves one. What every program does is not of interest: fork, mkdir, chdir.
func (c *call) aboutContainers() bool {
	args := &c.frame.Args
	switch c.Name {
	case "clone", "clone3", "fork", "vfork":
		return c.isBirthElsewhere()
	case "mkdir", "mkdirat", "rmdir", "unlinkat":
		d := c.directory(c.frame.Memory.(memory).th.tid)
		return d.IsCgroup()
	case "mknod", "mknodat":
		kind := args[len(c.params)-2] & unix.S_IFMT
		return kind == unix.S_IFCHR || kind == unix.S_IFBLK
	case "chdir", "fchdir", "symlink", "symlinkat", "umask":
		return false
	case "prctl":
		return restricts(args[0], args[1])
	case "seccomp":
		return args[0] <= unix.SECCOMP_SET_MODE_FILTER
	case "ptrace":
		return c.wantsTracee()
	}
	return c.relevant()
}

// isBirthElsewhere tells a fork of its kind that does more than to fork. CLONE_NEWTIME
// lies in the byte that is clone's signal: only clone3 knows it.
func (c *call) isBirthElsewhere() bool {
	flags := c.CloneFlags(&c.frame)
	if c.Name == "clone" {
		flags &^= 0xff
	}
	return flags&inOthers != 0
}

// restricts tells an operation of prctl(2) that says what a process may do, or whose
// child it is.
func restricts(op, arg uint64) bool {
	switch op {
	case unix.PR_SET_NO_NEW_PRIVS, unix.PR_SET_SECCOMP, unix.PR_CAPBSET_DROP,
		unix.PR_SET_SECUREBITS, unix.PR_SET_KEEPCAPS, unix.PR_SET_CHILD_SUBREAPER,
		unix.PR_SET_PDEATHSIG:
		return true
	case unix.PR_CAP_AMBIENT:
		return arg != unix.PR_CAP_AMBIENT_IS_SET
	}
	return false
}

// wantsTracee tells a call with which a tracer begins.
func (c *call) wantsTracee() bool {
	switch c.frame.Args[0] {
	case unix.PTRACE_TRACEME, unix.PTRACE_ATTACH, unix.PTRACE_SEIZE:
		return true
	}
	return false
}

// checkTracer tells why a tracer that the command runs does not work.
func (t *tracer) checkTracer(th *thread, e *Event) {
	if e.Call == "ptrace" && e.Errno == "EPERM" && th.proc.command {
		t.note(th, fmt.Sprintf("a process has one tracer, and here it is kit, because of "+
			"--follow; kill -USR1 %d lets the command run untraced", os.Getpid()))
	}
}

// releaseAll lets the command run untraced, or what is left of it. A thread can be let
// go only while it is stopped: those that run are interrupted.
func (t *tracer) releaseAll(why string) {
	if !t.following {
		return
	}
	t.following = false
	var first *thread
	for _, th := range t.threads {
		if !th.proc.command {
			continue
		}
		if first == nil || th.tid < first.tid {
			first = th
		}
		_ = ptrace.Interrupt(th.tid)
	}
	if first != nil {
		t.note(first, "detached: "+why)
	}
}

// release lets a thread of the command go that has stopped. It gets the signal that
// it has stopped for, and job control's stop goes on.
func (t *tracer) release(th *thread, status unix.WaitStatus) {
	var signal unix.Signal
	var child *thread
	switch event := ptrace.Event(status); {
	case event == unix.PTRACE_EVENT_CLONE, event == unix.PTRACE_EVENT_FORK,
		event == unix.PTRACE_EVENT_VFORK:
		if tid, err := ptrace.Message(th.tid); err == nil {
			child = t.newThread(th, tid) // it is traced, too
		}
	case event == unix.PTRACE_EVENT_EXEC:
		th = t.renamed(th)
	case event == 0 && status.StopSignal() != ptrace.SyscallStop:
		signal = status.StopSignal()
	}
	if t.recorded(th) {
		t.unfinished(th)
	}
	delete(t.threads, th.tid)
	_ = ptrace.DetachWith(th.tid, signal)
	t.meet(child)
}

// stopEarly keeps the stop of a new thread until its parent reports its birth.
func (t *tracer) stopEarly(tid int, status unix.WaitStatus) {
	stop := early{status: status}
	if t.cfg.Follow {
		stop.parent = parentOf(tid)
	}
	t.early[tid] = stop
}

// meet handles the stop of a child whose birth has been reported only now.
func (t *tracer) meet(child *thread) {
	if child == nil {
		return
	}
	if stop, ok := t.early[child.tid]; ok {
		delete(t.early, child.tid)
		t.handle(child.tid, stop.status)
	}
}

// adoptOrphans takes on the children of a process that was killed before it could
// report their births: they would be stopped for ever.
func (t *tracer) adoptOrphans(pid int) {
	for _, th := range t.threads {
		if th.proc.pid == pid {
			return // another thread may report them
		}
	}
	for tid, stop := range t.early {
		if stop.parent == pid {
			p := &process{pid: tid, pids: []int{tid}, side: Child, command: true}
			t.threads[tid] = &thread{tid: tid, proc: p}
			t.meet(t.threads[tid])
		}
	}
}

// parentOf is the process that a thread was made by: its parent, or where it is not
// the first one of its process, that process.
func parentOf(tid int) int {
	status := state.Read(tid, "status")
	if pid := field(status, "\nTgid:"); pid != tid {
		return pid
	}
	return field(status, "\nPPid:")
}

// field reads a number in /proc/PID/status (proc_pid_status(5)).
func field(status []byte, name string) int {
	_, rest, _ := bytes.Cut(status, []byte(name))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	n, _ := strconv.Atoi(string(bytes.TrimSpace(line)))
	return n
}
