package container

import "syscall"

// A Step adds one kernel primitive. A nil field means there is nothing to do
// at that moment.
type Step struct {
	Name   string                 // "namespaces"
	Adds   string                 // what the step adds, in half a sentence
	Before func(*Container) error // parent, before clone
	Parent func(*Container) error // parent, child alive and waiting       (OCI createRuntime)
	Child  func(*Container) error // child, host's files still visible     (OCI createContainer)
	Root   func(*Container) error // child, swap "/"; the newest step's wins
	Inside func(*Container) error // child, under the new "/"              (OCI startContainer)
	After  func(*Container) error // parent, child gone; newest step first (OCI poststop)
}

// Container is what the steps work on. The parent sends it to the child as
// JSON through the gate: what the parent found out reaches the child.
type Container struct {
	Steps int // the ladder's first Steps steps build this container
	Name  string
	Root  string   // the directory that becomes "/"
	Args  []string // the command
	Env   []string // its environment, complete

	Attr *syscall.SysProcAttr `json:"-"` // parent only: how to clone
	Pid  int                  `json:"-"` // parent only: the child
}
