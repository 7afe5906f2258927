// Package trace observes a kit process from outside, with ptrace(2), and turns
// what it does into Events: source line, reason, system call, and what the call
// changed in the kernel. It knows nothing of any particular step.
package trace

import (
	"io/fs"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/ptrace"
)

// Config says what to run and how to attribute its calls.
type Config struct {
	Path  string     // the program, a kit binary: this very program's file
	Argv  []string   // its arguments, argv[0] included
	Env   []string   // its environment, without what the tracer adds
	Files []*os.File // its file descriptors 0, 1, 2, …

	// Origins maps a function's full symbol name (runtime.Frame.Function) to the
	// step and moment it is the entry of.
	Origins map[string]Origin
	// Births maps the symbol name of a function that starts a process to the side
	// that the new process is on.
	Births map[string]Side
	// Apart holds the symbol names of functions that start a process which may outlive
	// the program: it is let go at its execve.
	Apart map[string]bool
	// Packages are the import paths whose statements are lessons: the steps and the engine.
	Packages []string
	// Payload holds the symbol names of the functions that call execve for the
	// user's command.
	Payload map[string]bool
	// Sources holds the source of Packages, by path from the module's top.
	Sources fs.FS
	// Module is the module's import path; what follows it in a package path is the directory.
	Module string

	// Detail tells for which classes all is wanted; nil is for all of them. The
	// others' events come without arguments, and the runtime's also without their
	// place in the source.
	Detail func(Class) bool

	// Pause, where there is one, is called before each lesson call happens, when the
	// sink has taken all that came before. The call waits until it returns: 0, or the
	// exit status with which the run is to end. Then nothing is paused any more, the
	// command does not run, and what was made for it is removed.
	Pause func(*Event) (quit int)
	// Inject, where there is one, is asked before each lesson call that returns which
	// errno it fails with instead of being made; 0 is for none. The event has its place
	// in the source.
	Inject func(*Event) unix.Errno
	// Scenes adds to the record what the kernel shows of all that kit is about to
	// change: as it was, as the command finds it, and as kit leaves it.
	Scenes bool
	// Follow records the calls of the user's command that make, enter or leave
	// containers, those of all its threads and children included.
	Follow bool

	// Told, where there is one, is asked when the program has ended what it has said of
	// its failure, and what to do about it: for the record's end.
	Told func() (text string, hints []string)

	Started func(pid int) // called once, when the tracee exists
	Sink    Sink
}

// Origin is the moment of a step that a function is the entry of.
type Origin struct {
	Step   int
	Name   string
	Moment string
}

// Unavailable says that nothing can be observed here, and why. Nothing of the
// program has run then.
type Unavailable struct {
	Reason string
	Err    error
}

func (e *Unavailable) Error() string { return e.Reason }

func (e *Unavailable) Unwrap() error { return e.Err }

// Run starts a program, sends what it and its children do to cfg.Sink as it
// happens, and returns its exit status when all of them have ended: 128+N where
// signal N ended it. The record begins when the program sends itself SIGSTOP
// (tgkill(2)), which it does not get; it finds KIT_TRACED=1 in its environment.
// The user's command is let go at its execve and runs untraced. The error is an
// *Unavailable, or what starting the program or the sink said.
func Run(cfg Config) (exit int, err error) {
	// A tracee knows only the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	t, err := newTracer(&cfg)
	if err != nil {
		return 125, err
	}
	pid, err := ptrace.Start(cfg.Path, cfg.Argv, quiet(cfg.Env), cfg.Files)
	if reason := ptrace.Refused(err); reason != "" {
		return 125, &Unavailable{reason, err}
	}
	if err != nil {
		return 125, err
	}
	t.recorder = newRecorder(&cfg)
	t.adopt(pid)
	if cfg.Started != nil {
		cfg.Started(pid)
	}
	t.prepare()
	t.loop()
	t.exit = t.status()
	_ = t.unpin(0)
	return t.exit, t.end()
}

// quiet adds to env what keeps the Go runtime's calls nearly the same from run
// to run: one processor, no garbage collection, no signals to preempt.
func quiet(env []string) []string {
	var out []string
	debug := "GODEBUG=asyncpreemptoff=1"
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		switch name {
		case "GODEBUG":
			debug += "," + value
		case "GOMAXPROCS", "GOGC", "KIT_TRACED":
		default:
			out = append(out, e)
		}
	}
	return append(out, debug, "GOMAXPROCS=1", "GOGC=off", "KIT_TRACED=1")
}
