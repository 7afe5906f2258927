// Package trace observes a kit process from outside, with ptrace(2), and turns
// what it does into Events: source line, reason, system call, and what the call
// changed in the kernel. It knows nothing of any particular step.
package trace

import (
	"io/fs"
	"os"
)

// Config says what to run and how to attribute its calls.
type Config struct {
	Path  string     // the program, a kit binary: this very program's file
	Argv  []string   // its arguments, argv[0] included
	Env   []string   // its environment, without what the tracer adds
	Files []*os.File // its file descriptors 0, 1, 2, …

	// Origins maps a function's full symbol name (runtime.Frame.Function) to the step and moment it is the entry of.
	Origins map[string]Origin
	// Births maps the symbol name of a function that starts a process to the side the new process is on.
	Births map[string]Side
	// Packages are the import paths whose statements are lessons: the steps and the engine.
	Packages []string
	// Payload is the symbol name of the function that calls execve for the user's command.
	Payload map[string]bool
	// Sources holds the source of Packages, by path from the module's top.
	Sources fs.FS
	// Module is the module's import path; what follows it in a package path is the directory.
	Module string

	Started func(pid int) // called once, when the tracee exists
	Sink    Sink
}

// Origin is the moment of a step that a function is the entry of.
type Origin struct {
	Step   int
	Name   string
	Moment string
}
