package trace

import "github.com/containerkit/kit/internal/trace/scene"

// Version is the version of the JSON form. Keys may be added, none renamed.
const Version = 1

// Kind tells what an Event is about.
type Kind string

// The kinds of event, in the order in which a record holds them: one begin,
// any number of system calls and notes, one end.
const (
	Begin   Kind = "begin"
	Syscall Kind = "syscall"
	Note    Kind = "note"  // something the reader must know, such as "detached"
	Still   Kind = "scene" // what the kernel shows at one moment
	End     Kind = "end"
)

// Class tells who wanted a system call.
type Class string

const (
	// Lesson is a call that a statement of a step or of the engine asked for.
	Lesson Class = "lesson"
	// Bookkeeping is the standard library's own on the way there.
	Bookkeeping Class = "bookkeeping"
	// Runtime is the Go runtime's: threads, signals, memory.
	Runtime Class = "runtime"
	// Command is the user's command's, which is recorded on request.
	Command Class = "command"
)

// Side tells where a process stands.
type Side string

const (
	// Parent is a process on the host's side.
	Parent Side = "parent"
	// Child is the process that becomes the container.
	Child Side = "child"
)

// An Event is one line of a record. Its JSON form is the one scripts read:
// newline-delimited, one object an event. The fields that do not belong to the
// event's kind are left out.
type Event struct {
	V    int  `json:"v"`
	Kind Kind `json:"kind"`

	// Begin.
	Argv     []string `json:"argv,omitempty"`
	Kernel   string   `json:"kernel,omitempty"` // release, as uname -r
	Cgroup   string   `json:"cgroup,omitempty"` // v1, v2 or hybrid
	Rootless *bool    `json:"rootless,omitempty"`

	// Syscall, and Note as far as it applies.
	Seq    int    `json:"seq,omitempty"`     // 1, 2, 3, … in the order in which calls returned
	T      int64  `json:"t_ns,omitempty"`    // since begin, at the call's entry
	Took   int64  `json:"took_ns,omitempty"` // in the kernel, and until the observer saw it return
	PID    int    `json:"pid,omitempty"`     // in the tracer's PID namespace
	TID    int    `json:"tid,omitempty"`     // in the tracer's PID namespace
	NSPID  int    `json:"nspid,omitempty"`   // the process's own idea of its PID
	Side   Side   `json:"side,omitempty"`
	Step   int    `json:"step"`             // 0 is the engine
	Name   string `json:"name,omitempty"`   // of the step; "engine" for step 0
	Moment string `json:"moment,omitempty"` // Before, Parent, Child, Root, Inside, Last, After
	Class  Class  `json:"class,omitempty"`

	File string `json:"file,omitempty"` // from the repository's top: steps/01-chroot/chroot.go
	Line int    `json:"line,omitempty"` // of the statement
	Func string `json:"func,omitempty"` // without the package path: enter, (*Container).start
	Code string `json:"code,omitempty"` // the statement's first line
	Why  string `json:"why,omitempty"`  // the comment above the statement

	Call     string   `json:"call,omitempty"`
	Args     []Arg    `json:"args,omitempty"`
	Ret      *int64   `json:"ret,omitempty"` // absent when the call did not return, as exit_group
	RetText  string   `json:"ret_text,omitempty"`
	Errno    string   `json:"errno,omitempty"`      // ENOENT
	Meaning  string   `json:"meaning,omitempty"`    // what the errno means here
	Log      []string `json:"kernel_log,omitempty"` // what the kernel wrote into its log meanwhile
	Refused  string   `json:"refused,omitempty"`    // the errno in the kernel's answer to a message
	Injected bool     `json:"injected,omitempty"`
	Changes  []Change `json:"changes,omitempty"`

	// What the memory that an argument points to holds, in words.
	Decoded []Decoded `json:"decoded,omitempty"`

	// Note.
	Text string `json:"text,omitempty"`

	// Scene.
	Scene *scene.Scene `json:"scene,omitempty"`

	// End.
	Exit     *int          `json:"exit,omitempty"`
	Error    string        `json:"error,omitempty"` // of kit itself, a line for each
	Hints    []string      `json:"hints,omitempty"` // what to do about it
	Syscalls map[Class]int `json:"syscalls,omitempty"`
}

// An Arg is one argument of a system call.
type Arg struct {
	Name string `json:"name"`
	Raw  uint64 `json:"raw"`
	Text string `json:"text"` // symbolic: MS_REC|MS_PRIVATE, 5</sys/fs/cgroup/kit>, "/proc"
}

// A Change is a piece of kernel state that a call changed. Before is empty for
// what came into being, After for what went away.
type Change struct {
	What   string `json:"what"`
	Before string `json:"before"`
	After  string `json:"after"`
	Short  string `json:"short,omitempty"` // the same in fewer words, where there are many
}

// Decoded is what a call hands over to the kernel, or gets from it.
type Decoded struct {
	What  DecodedKind `json:"what"`
	Lines []string    `json:"lines"`
}

// DecodedKind tells what has been decoded.
type DecodedKind string

// What can be decoded.
const (
	Messages DecodedKind = "message" // of netlink(7), one a line
	Filter   DecodedKind = "filter"  // of seccomp(2): what it does
	Code     DecodedKind = "code"    // the same filter, an instruction a line
)

// A Sink takes the events of a record, in order.
type Sink interface {
	Event(*Event) error
}
