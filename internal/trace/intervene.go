package trace

import "github.com/containerkit/kit/internal/trace/ptrace"

// intervene lets the reader in before a lesson call happens: to look around, and to
// have it fail.
func (t *tracer) intervene(th *thread) {
	c := &th.call
	if t.cfg.Pause != nil {
		e := t.event(th)
		t.recorder.place(e, c.site)
		t.cfg.Pause(e)
	}
	if t.cfg.Inject == nil || !c.canFail() {
		return
	}
	if errno := t.cfg.Inject(t.event(th)); errno != 0 && ptrace.Skip(th.tid) == nil {
		c.errno = errno
	}
}

// canFail tells that a call can return: a failed exit would be no call at all.
func (c *call) canFail() bool {
	return c.Name != "exit" && c.Name != "exit_group" && c.Name != "rt_sigreturn"
}
