//go:build linux

package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/internal/trace/syscalls"
)

// injectOption is --inject CALL:ERRNO[:N], any number of them.
type injectOption struct{ list []*injection }

// An injection is one call that is to fail.
type injection struct {
	text  string // as given
	call  string
	errno unix.Errno
	n     int // the Nth lesson call of that name

	seen int
	hit  *trace.Event // the call, once it has failed
}

func (o *injectOption) String() string { return "" }

func (o *injectOption) Type() string { return "CALL:ERRNO[:N]" }

// Set implements pflag.Value.
func (o *injectOption) Set(text string) error {
	parts := strings.Split(text, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return errors.New("not of the form CALL:ERRNO[:N]")
	}
	i := &injection{text: text, call: parts[0], n: 1}
	if err := known("system call", i.call, callNames()); err != nil {
		return err
	}
	var err error
	if i.errno, err = parseErrno(parts[1]); err != nil {
		return err
	}
	if len(parts) == 3 {
		if i.n, err = strconv.Atoi(parts[2]); err != nil || i.n < 1 {
			return fmt.Errorf("%q is not a number from 1 on", parts[2])
		}
	}
	if !trace.CanFail(i.call) {
		return fmt.Errorf("%s never fails", i.call)
	}
	o.list = append(o.list, i)
	return nil
}

// maxErrno is the greatest errno that has a name (EHWPOISON in errno(3)).
const maxErrno = 133

// parseErrno understands EPERM, and 1.
func parseErrno(text string) (unix.Errno, error) {
	if n, err := strconv.Atoi(text); err == nil {
		if n < 1 || n > maxErrno {
			return 0, fmt.Errorf("errno %d is not between 1 and %d", n, maxErrno)
		}
		return unix.Errno(n), nil
	}
	// Second names of the same numbers, see errno(3).
	switch text {
	case "EWOULDBLOCK":
		return unix.EWOULDBLOCK, nil
	case "ENOTSUP":
		return unix.ENOTSUP, nil
	}
	var names []string
	for n := unix.Errno(1); n <= maxErrno; n++ {
		name := unix.ErrnoName(n)
		if name == text && text != "" {
			return n, nil
		}
		names = append(names, name)
	}
	return 0, known("errno", text, names)
}

// callNames are the system calls of this machine.
func callNames() (names []string) {
	for _, name := range syscalls.Names() {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// check refuses what can only be done to a run that is traced.
func (o *injectOption) check(all *traceOptions) error {
	if len(o.list) > 0 && all.trace == "off" {
		return errors.New("--inject: a call can only be made to fail in a run that is traced; " +
			"this is --trace off")
	}
	return nil
}

// untraced is the error for a run that cannot be traced for the reason noTrace; nil
// where nothing is to be injected.
func (o *injectOption) untraced(noTrace error) error {
	if len(o.list) == 0 {
		return nil
	}
	return fmt.Errorf("--inject: a call can only be made to fail in a run that is traced: %w", noTrace)
}

// hook tells what a call is to fail with, 0 for those that happen; nil without --inject.
func (o *injectOption) hook() func(*trace.Event) unix.Errno {
	if len(o.list) == 0 {
		return nil
	}
	return func(e *trace.Event) (errno unix.Errno) {
		for _, i := range o.list {
			if i.call != e.Call {
				continue
			}
			if i.seen++; i.seen == i.n {
				i.hit, errno = e, i.errno
			}
		}
		return errno
	}
}

// tell adds to what kit says at the end which calls have been made to fail, and where:
// below the first error, which is theirs, or where there is none as a note. The hints that
// look for its cause in the machine are wrong then.
func (o *injectOption) tell(r *container.Report) {
	if len(r.Errors) > 0 && slices.ContainsFunc(o.list, func(i *injection) bool {
		return i.hit != nil
	}) {
		r.Errors[0].Hints = nil
	}
	for _, i := range o.list {
		switch {
		case i.hit == nil:
			r.Notes = append(r.Notes, i.missed())
		case len(r.Errors) > 0:
			r.Errors[0].Hints = append(r.Errors[0].Hints, i.where())
		default:
			r.Notes = append(r.Notes, i.where())
		}
	}
}

// where says which call has been made to fail.
func (i *injection) where() string {
	step := "the engine"
	if i.hit.Step > 0 {
		step = fmt.Sprintf("step %d, %s", i.hit.Step, i.hit.Name)
	}
	return fmt.Sprintf("injected: %s failed with %s at %s:%d (%s)",
		i.call, unix.ErrnoName(i.errno), i.hit.File, i.hit.Line, step)
}

// missed says that there was no such call.
func (i *injection) missed() string {
	made := fmt.Sprintf("only %d such calls were made", i.seen)
	switch i.seen {
	case 0:
		made = "no such call was made"
	case 1:
		made = "only 1 such call was made"
	}
	return "--inject " + i.text + ": " + made
}
