package trace

import "github.com/containerkit/kit/internal/trace/ptrace"

// intervene lets the reader in before a lesson call happens: to look around, and to
// have it fail.
func (t *tracer) intervene(th *thread) {
	c := &th.call
	t.pause(th)
	if t.ends(th) {
		return
	}
	if t.cfg.Inject == nil || !CanFail(c.Name) {
		return
	}
	e := t.event(th)
	t.recorder.place(e, c.site)
	if errno := t.cfg.Inject(e); errno != 0 && ptrace.Skip(th.tid) == nil {
		c.errno = errno
	}
}

// CanFail tells that a system call returns: a failed exit would be no call at all.
func CanFail(name string) bool {
	return name != "exit" && name != "exit_group" && name != "rt_sigreturn"
}
