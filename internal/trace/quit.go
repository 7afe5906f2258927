package trace

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/ptrace"
)

// pause lets the reader look at a lesson call before it happens, for as long as they
// like.
func (t *tracer) pause(th *thread) {
	if t.cfg.Pause == nil || t.quit != 0 {
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
	t.recorder.place(e, th.call.site)
	t.quit = t.cfg.Pause(e)
}

// holdReaders keeps other threads from taking the reader's keys: one that carries them
// to a terminal of the command's sleeps in a read(2) meanwhile. An interrupt makes it
// stop, and the loop lets it go back to its read.
func (t *tracer) holdReaders(paused *thread) {
	for _, th := range t.threads {
		if th == paused || !th.inCall || th.call.Name != "read" {
			continue
		}
		path := th.call.frame.Memory.Path(int(int32(th.call.frame.Args[0])))
		if strings.HasPrefix(path, "/dev/pts/") || strings.HasPrefix(path, "/dev/tty") {
			_ = ptrace.Interrupt(th.tid)
		}
	}
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
