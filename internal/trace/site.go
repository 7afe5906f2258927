package trace

import (
	"slices"
	"strings"

	"github.com/containerkit/kit/internal/trace/ptrace"
	"github.com/containerkit/kit/internal/trace/source"
)

// A site is the place in the source from which calls come: all that their stack
// tells. Calls with the same stack share one.
type site struct {
	pcs       []uintptr
	own       bool          // a statement of a step or the engine is on the stack
	direct    bool          // nothing but wrappers of system calls lies between it and the kernel
	goRuntime bool          // the Go runtime does
	frame     *source.Frame // of that statement
	origin    Origin
	birth     Side
	apart     bool
	payload   bool

	// Filled in by the recorder, and nobody else's business.
	located        bool
	file, function string
	statement      source.Statement
}

// class tells who wanted a call that comes from here.
func (s *site) class(relevant func() bool) Class {
	switch {
	case !s.own || s.goRuntime:
		return Runtime
	case s.direct || relevant():
		return Lesson
	}
	return Bookkeeping
}

// siteAt finds the place that a thread's call comes from. Where the reader does
// not want to know more of the Go runtime's calls than that they are, and the
// call comes right from there, the stack is left alone.
func (t *tracer) siteAt(th *thread, info *ptrace.Info) *site {
	if th.call.Name == "rt_sigreturn" {
		return t.unknown // below it lies the stack of whatever the signal has interrupted
	}
	if !t.wants(Runtime) {
		pc := uintptr(info.IP - th.proc.slide)
		if frames := t.framesOf(pc); len(frames) > 0 && isRuntime(frames[0].Package) {
			return t.unknown
		}
	}
	t.stack.Walk(th.tid, info)
	return t.siteOf(t.stack.PCs, th.proc.slide)
}

// siteOf finds the place that a stack of return addresses belongs to.
func (t *tracer) siteOf(pcs []uintptr, slide uint64) *site {
	hash := uint64(14695981039346656037) // FNV-1a
	for i := range pcs {
		pcs[i] -= uintptr(slide)
		hash = (hash ^ uint64(pcs[i])) * 1099511628211
	}
	if s, ok := t.sites[hash]; ok && slices.Equal(s.pcs, pcs) {
		return s
	}
	s := t.resolve(pcs)
	s.pcs = slices.Clone(pcs)
	t.sites[hash] = s
	return s
}

// resolve reads a stack from the innermost frame outwards: up to the first
// statement of ours it tells the class, and from there the step and its moment.
func (t *tracer) resolve(pcs []uintptr) *site {
	s := &site{direct: true, origin: Origin{Name: "engine"}}
	for _, pc := range pcs {
		frames := t.framesOf(pc)
		for i := range frames {
			t.look(s, &frames[i])
		}
	}
	return s
}

func (t *tracer) framesOf(pc uintptr) []source.Frame {
	frames, ok := t.frames[pc]
	if !ok {
		frames = source.Frames(pc)
		t.frames[pc] = frames
	}
	return frames
}

// look takes from one frame what it tells about the site.
func (t *tracer) look(s *site, f *source.Frame) {
	switch {
	case s.own:
	case slices.Contains(t.cfg.Packages, f.Package) && f.In(t.cfg.Module):
		s.own, s.frame = true, f
	case isRuntime(f.Package):
		s.goRuntime, s.direct = true, false
	case !isWrapper(f):
		s.direct = false
	}
	if o, ok := t.cfg.Origins[f.Outer]; ok && s.origin.Step == 0 {
		s.origin = o
	}
	if side, ok := t.cfg.Births[f.Outer]; ok {
		s.birth = side
	}
	s.apart = s.apart || t.cfg.Apart[f.Outer]
	s.payload = s.payload || t.cfg.Payload[f.Outer]
}

// locate finds the site's statement in the source.
func (s *site) locate(r *recorder) {
	if !s.own || s.located {
		return
	}
	s.located = true
	s.file, s.function = s.frame.Path(r.module), s.frame.Func()
	s.statement = r.sources.At(s.file, s.frame.Line)
}

// describe tells in an event where it comes from.
func (s *site) describe(e *Event) {
	e.Step, e.Name, e.Moment = s.origin.Step, s.origin.Name, s.origin.Moment
	e.File, e.Line, e.Func = s.file, s.statement.Line, s.function
	e.Code, e.Why = s.statement.Code, s.statement.Why
}

// isRuntime tells the Go runtime's packages, but for the one instruction that
// enters the kernel.
func isRuntime(pkg string) bool {
	if strings.HasPrefix(pkg, "internal/runtime/") {
		return !strings.HasPrefix(pkg, "internal/runtime/syscall")
	}
	return pkg == "runtime" || strings.HasPrefix(pkg, "runtime/internal/")
}

// isWrapper tells functions that do nothing but make the system call that they
// are named after.
func isWrapper(f *source.Frame) bool {
	switch {
	case f.Package == "golang.org/x/sys/unix":
		return true
	case strings.HasPrefix(f.Package, "internal/runtime/syscall"):
		return true
	case f.Package == "syscall":
		name := strings.ToLower(f.Func())
		return strings.HasPrefix(name, "syscall") || strings.HasPrefix(name, "rawsyscall")
	}
	return false
}
