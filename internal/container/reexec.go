package container

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// role tells a kit that has just been started by another kit what it is. It is
// set in the environment, together with a gate on descriptor 3.
type role string

const (
	roleEnv   = "KIT_ROLE"
	tracedEnv = "KIT_TRACED"

	roleParent   role = "parent"   // run the parent's side
	roleUnmapped role = "unmapped" // as parent, but wait for a uid first
	roleChild    role = "child"    // become the container
	roleEnter    role = "enter"    // become a command in a container that runs
	roleKeeper   role = "keeper"   // keep the way out of an outer network open
	roleProbe    role = "probe"    // end at once: what the start of a process costs
)

// selfFD is the sealed program's descriptor in a process that start starts.
const selfFD = gateFD + 1

// A Result is how a process of kit's ended.
type Result struct {
	Exit  int
	Lines []string // for standard output
	Notes []string // what the user is to be told, a line each
	Err   error

	gate *gate // to whoever has started this process
}

// Reexec runs the rest of kit when this process was started by another kit. It
// returns ok == false in a kit that a user started. Steps is the whole ladder.
func Reexec(steps []Step) (r Result, ok bool) {
	role := role(os.Getenv(roleEnv))
	switch role {
	case roleParent, roleUnmapped, roleChild, roleEnter, roleKeeper:
	case roleProbe:
		return r, true
	default:
		os.Unsetenv(tracedEnv) // nobody waits for our begin
		return r, false
	}
	// Namespaces, capabilities and filters belong to a thread: stay on this one.
	runtime.LockOSThread()
	os.Unsetenv(roleEnv)
	g := &gate{fd: gateFD}
	switch role {
	case roleUnmapped:
		r.Exit, r.Err = 125, awaitMap(g)
	case roleParent:
		r = parentRole(g, steps)
	case roleKeeper:
		r.Err = keepWayOut(g)
	case roleChild:
		r.Exit, r.Err = runChild(g, steps)
	case roleEnter:
		r.Exit, r.Err = runEntering(g, steps)
	}
	if role != roleKeeper {
		r.gate = g
	}
	return r, true
}

func parentRole(g *gate, steps []Step) (r Result) {
	// A tracer takes us along when it ends. For anybody else that has been set when
	// we were cloned, but an execve that gives capabilities, as awaitMap's, clears it.
	if !begin() {
		if err := dieWithParent(); err != nil {
			return Result{Exit: 125, Err: &Error{Err: err}}
		}
	}
	c, err := g.receive()
	if err != nil || c == nil {
		return Result{Exit: 125, Err: err}
	}
	if c.Left {
		return cleanRole(g, c, steps)
	}
	if c.First.Pid != 0 {
		r.Exit, r.Err = Enter(c)
		return r
	}
	r.Exit, r.Err = Run(c, steps[:c.Steps])
	r.Notes = c.Notes
	return r
}

// begin tells a tracer, if there is one, that the record begins here: everything
// before it was the start of the program. A tracer takes the signal away.
func begin() (traced bool) {
	if os.Getenv(tracedEnv) == "" {
		return false
	}
	os.Unsetenv(tracedEnv)
	// Stop: whoever traces us starts its record now.
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGSTOP)
	return true
}

// A Command is how this program is started again, in a role, on the other side
// of a gate.
type Command struct {
	Path  string
	Argv  []string
	Env   []string
	Files []*os.File // descriptors 0, 1, 2, the gate, and the program itself

	gate  *gate
	fresh uintptr // see startIn
}

// newCommand prepares to start this program from the open file self.
func newCommand(r role, env []string, self *os.File) (*Command, error) {
	g, theirs, err := newGate()
	if err != nil {
		return nil, err
	}
	return &Command{
		Path:  fmt.Sprintf("/proc/self/fd/%d", selfFD),
		Argv:  os.Args,
		Env:   append(env, roleEnv+"="+string(r)),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, theirs, self},
		gate:  g,
	}, nil
}

// Observed is how a tracer starts Run in a process of its own. Open is to be
// called once that runs.
func Observed() (*Command, error) {
	// The observed process runs this very file, whatever its path names by then.
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	cmd, err := newCommand(roleParent, append(os.Environ(), tracedEnv+"=1"), self)
	if err != nil {
		self.Close()
		return nil, err
	}
	return cmd, nil
}

// Open opens the gate for the process that was started with the command. Told is to
// be called when that has ended.
func (cmd *Command) Open(c *Container) error {
	cmd.closeFiles()
	// The container ends with us, who only watch.
	c.Kit = os.Getpid()
	return cmd.gate.send(c)
}

// Told is what the process that was started with the command has to tell.
func (cmd *Command) Told() Report { return cmd.gate.told() }

// closeFiles closes what only the new process needs.
func (cmd *Command) closeFiles() {
	for _, f := range cmd.Files[gateFD:] {
		f.Close()
	}
}

// start starts the command, and returns the process and our end of its gate.
func (cmd *Command) start(attr *syscall.SysProcAttr) (pid int, g *gate, err error) {
	defer cmd.closeFiles()
	var files []uintptr
	for _, f := range cmd.Files {
		files = append(files, f.Fd())
	}
	// Clone: the child is born in its new namespaces, with its ids mapped if one of
	// them is for users, runs this program again, and waits at the gate.
	pid, err = syscall.ForkExec(cmd.Path, cmd.Argv, &syscall.ProcAttr{
		Env: cmd.Env, Files: files, Sys: attr,
	})
	if err != nil {
		cmd.gate.close()
		return 0, nil, &CloneError{Flags: attr.Cloneflags, Err: err}
	}
	return pid, cmd.gate, nil
}

// startChild starts the child's side, from a file that cannot be written to.
func startChild(attr *syscall.SysProcAttr) (pid int, g *gate, err error) {
	self, err := sealedSelf()
	if err != nil {
		return 0, nil, err
	}
	cmd, err := newCommand(roleChild, quiet(), self)
	if err != nil {
		self.Close()
		return 0, nil, err
	}
	// The container comes through the gate; the command line would only tell
	// whoever reads /proc/1/cmdline about the host.
	cmd.Argv = os.Args[:1]
	return cmd.start(attr)
}

// quiet keeps the Go runtime of the container's first process small and its
// calls nearly the same from run to run: one processor, no garbage collection,
// no signals to preempt, and no files of the host's cgroup held open to look for
// CPU limits. Nothing else of the environment gets there, and the command does
// not even get this.
func quiet() []string {
	return []string{
		"GOMAXPROCS=1", "GOGC=off",
		"GODEBUG=asyncpreemptoff=1,containermaxprocs=0,updatemaxprocs=0",
	}
}
