package container

import (
	"fmt"
	"syscall"
	"time"

	"github.com/containerkit/kit/internal/state"
)

// A Step adds one kernel primitive. A nil field means there is nothing to do
// at that moment.
type Step struct {
	Name   string                 // "namespaces"
	Adds   string                 // what the step adds, in half a sentence
	Before func(*Container) error // parent, before clone
	Parent func(*Container) error // parent, child alive and waiting   (OCI createRuntime)
	Child  func(*Container) error // child, host's files still visible (OCI createContainer)
	Root   func(*Container) error // child, swap "/"; the newest step's wins
	Inside func(*Container) error // child, under the new "/"          (OCI startContainer)
	Last   func(*Container) error // child, become the user; newest step's wins; then execve
	After  func(*Container) error // parent, child gone; newest first  (OCI poststop)
}

// Container is what the steps work on. The parent sends it to the child as
// JSON through the gate, so that what it found out reaches the child.
type Container struct {
	Steps int      // how many steps of the ladder build it
	Name  string   // also its hostname, unless Hostname is set
	Named bool     // the user chose the name
	Root  string   // the directory that becomes "/": absolute, no symbolic links
	Args  []string // the command

	Env      []string // NAME=value, besides PATH, HOME, TERM and HOSTNAME
	Workdir  string   // the command's working directory, "" for "/"
	User     string   // uid, name, uid:gid or name:group; "" for root
	TTY      bool     // give the command a terminal of its own
	Init     bool     // keep kit as PID 1, to forward signals and to reap
	Hostname string
	Volumes  []Volume
	UserNS   UserNS
	IPC, PID Sharing
	Time     time.Duration // how far the container's clocks run ahead

	Limits   Limits   // step 3
	Devices  []Device // step 3: of the host, which the command may use
	Layers   Layers   // step 4
	Net      Net      // step 5
	Security Security // step 6

	Kit     int      // the process of kit that the user started, as the host sees it
	First   Process  // the container's first one, where a command enters it; else 0
	Gate    uint64   // inode of the gate that the first process has open until it is the command
	Cgroups []string // directories of the container's cgroups on the host, set by step 3

	Rootless   bool     // kit is root in a user namespace only: its own, or one it was started in
	Left       bool     // a killed kit has left it: it is not to be run, but to be cleaned up
	Devpts     bool     // the container has its own devpts: the terminal comes from there
	Window     *Winsize // of the terminal kit runs in
	Foreground bool     // kit has the terminal's keyboard, and -t was not asked for
	Handed     []string // names of the open files that came through the gate, see Hand

	Attr    *syscall.SysProcAttr `json:"-"` // parent only: how to clone
	Pid     int                  `json:"-"` // parent only: the child, as the parent sees it
	Notes   []string             `json:"-"` // parent only: what to tell the user at the end
	Account Account              `json:"-"` // child only: whom the command runs as

	files map[string]int        // open files by name, see Hand and Keep
	alone bool                  // step 0 only: the outer network namespace is new
	met   map[string]*Container // the others by name, as Exclusive has last found them
	seen  state.State           // of another container only: how it is written down
}

// A Process is known by its number and the time at which it was started, in clock
// ticks since the machine's start (proc_pid_stat(5)).
type Process struct {
	Pid   int
	Start uint64
}

// A Volume is a file or directory of the host that shows up inside.
type Volume struct {
	Source   string // on the host, absolute
	Target   string // inside, absolute
	ReadOnly bool
}

// UserNS tells in which user namespace the container runs.
type UserNS string

// The user namespaces to choose from, as --userns names them.
const (
	UserNSAuto  UserNS = "auto"  // kit's own: the host's as root, step 0's without
	UserNSHost  UserNS = "host"  // the host's
	UserNSRemap UserNS = "remap" // a new one, in which 0 is a subordinate id of the host
)

// Sharing tells whose namespace of one kind the container uses: Host, that of
// the process Pid, or, as the zero value, one of its own.
type Sharing struct {
	Host bool
	Pid  int
}

// Own tells that the container gets a namespace of its own.
func (s Sharing) Own() bool { return !s.Host && s.Pid == 0 }

// Winsize is the size of a terminal in characters (ioctl_tty(2)).
type Winsize struct {
	Rows, Columns uint16
}

// InUserNS tells that the container's root is not the host's.
func (c *Container) InUserNS() bool { return c.Rootless || c.UserNS == UserNSRemap }

// Hand gives the child an open file under a name, when the gate opens.
// The parent keeps its own descriptor open until then.
func (c *Container) Hand(name string, fd int) {
	c.Handed = append(c.Handed, name)
	c.Keep(name, fd)
}

// Keep remembers an open file from one moment to the next on the same side.
func (c *Container) Keep(name string, fd int) {
	if c.files == nil {
		c.files = map[string]int{}
	}
	c.files[name] = fd
}

// File returns the open file that Hand or Keep put there under name.
func (c *Container) File(name string) (fd int, ok bool) {
	fd, ok = c.files[name]
	return fd, ok
}

// Error is what a step, or the engine where Step is empty, could not do.
type Error struct {
	Step string
	Err  error
}

func (e *Error) Error() string {
	if e.Step == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("%s: %v", e.Step, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// do runs one moment of a step.
func (s Step) do(moment func(*Container) error, c *Container) error {
	if moment == nil {
		return nil
	}
	if err := moment(c); err != nil {
		return &Error{Step: s.Name, Err: err}
	}
	return nil
}
