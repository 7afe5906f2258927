package trace

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/ptrace"
	"github.com/containerkit/kit/internal/trace/state"
	"github.com/containerkit/kit/internal/trace/syscalls"
)

// pause lets the reader look at a lesson call before it happens, for as long as they
// like. While the command runs, the keys are for that.
func (t *tracer) pause(th *thread) {
	if t.cfg.Pause == nil || t.quit != 0 || !t.recording {
		return
	}
	t.holdReaders(th)
	e := t.event(th)
	if request := th.call.request; len(request) > 0 {
		var lines []string
		for _, m := range request {
			lines = append(lines, m.String())
		}
		e.Decoded = []Decoded{{Messages, lines}}
		if len(e.Args) > 1 {
			e.Args[1].Text = brief(request)
		}
	}
	if th.call.Changes&syscalls.Hostname != 0 {
		// The one fact that no file of /proc tells of another process.
		uts, _ := os.Readlink(state.Proc(th.tid, "ns/uts"))
		e.Changes = []Change{{What: "hostname", Before: t.names[uts].host}}
	}
	t.recorder.place(e, th.call.site)
	t.quit = t.cfg.Pause(e)
}

// holdReaders keeps other threads from taking the reader's keys: one that carries them
// to a terminal of the command's sleeps in a read(2) meanwhile. An interrupt makes it
// stop, and the loop lets it go back to its read.
func (t *tracer) holdReaders(paused *thread) {
	for _, th := range t.threads {
		if th != paused && th.mayRead() {
			_ = ptrace.Interrupt(th.tid)
		}
	}
}

// mayRead tells that a thread sleeps in a read from a terminal, or may be about to. What
// it is in need not be in the record: nothing is while the command runs.
func (th *thread) mayRead() bool {
	// The call's number and its arguments, or "running" (proc_pid_syscall(5)).
	f := strings.Fields(string(state.Read(th.tid, "syscall")))
	if len(f) == 1 && f[0] == "running" {
		return !th.inCall || th.call.Name == "read"
	}
	if len(f) < 2 || f[0] != strconv.Itoa(unix.SYS_READ) {
		return false
	}
	fd, err := strconv.ParseUint(f[1], 0, 64)
	if err != nil {
		return false
	}
	path, _ := os.Readlink(state.Proc(th.tid, "fd/"+strconv.Itoa(int(fd))))
	return strings.HasPrefix(path, "/dev/pts/") || strings.HasPrefix(path, "/dev/tty") ||
		path == "/dev/console"
}

// ends kills the child, once the reader has quit, where it would go on to do its part.
// Up to there all goes on: the parent has then done its own, and undoes it as it does
// when the command has ended.
func (t *tracer) ends(th *thread) bool {
	s := th.call.site
	if t.quit == 0 || th.proc.side != Child || s.origin.Moment == "" && !s.payload {
		return false
	}
	t.cut = true
	unix.Kill(th.proc.pid, unix.SIGKILL)
	return true
}

// status is the exit status of the run.
func (t *tracer) status() int {
	if t.cut {
		return t.quit
	}
	return t.exit
}
