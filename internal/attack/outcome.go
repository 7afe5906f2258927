package attack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// How an attack ended.
const (
	Works   = "works"
	Stopped = "stopped"
	NotRun  = "not run" // the container could not be made, or the host itself forbids it
)

// An Outcome is how one attack ended in one place.
type Outcome struct {
	State string `json:"state"`           // works, stopped, not run
	Saw   string `json:"saw,omitempty"`   // where it works: what it has seen or done
	Call  string `json:"call,omitempty"`  // else: `call object: cause`
	Errno string `json:"errno,omitempty"` // its name, as EPERM
}

// outcomeOf is that of an attack that has run.
func outcomeOf(saw string, err error) Outcome {
	if err == nil {
		return Outcome{State: Works, Saw: saw}
	}
	o := Outcome{State: Stopped, Call: err.Error()}
	if errno := unix.Errno(0); errors.As(err, &errno) {
		o.Errno = unix.ErrnoName(errno)
	}
	if errors.Is(err, ErrUnsafe) {
		o.State = NotRun
	}
	return o
}

// Run runs the attack in this process, which is inside, and writes its Outcome as
// JSON to out. It returns an error where there is no such attack, or it is not safe.
func Run(out io.Writer, name string) error {
	a := Find(name)
	if a == nil {
		return fmt.Errorf("attack %s: there is none of that name", name)
	}
	t, err := target()
	if err != nil {
		return fmt.Errorf("attack %s: %w", name, err)
	}
	return json.NewEncoder(out).Encode(outcomeOf(a.Run(t)))
}
