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
	errno := t.cfg.Inject(e)
	// Linux closes a descriptor even where close(2) fails.
	if errno != 0 && (c.Name == "close" || ptrace.Skip(th.tid) == nil) {
		c.errno = errno
	}
}

// CanFail tells that a system call can fail: there are some that do not return, and
// some that, as their man pages have it, are always successful.
func CanFail(name string) bool {
	switch name {
	case "exit", "exit_group", "rt_sigreturn", "umask", "getpid", "gettid", "getppid",
		"getuid", "geteuid", "getgid", "getegid":
		return false
	}
	return true
}
