// Package pause stops a traced program before each lesson call and talks with whoever
// sits at the terminal: what the call is, why it is made, what it is about to change,
// and how to look at that from another terminal.
package pause

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/internal/trace/source"
)

// A Screen is where the dialog takes place: a *Terminal.
type Screen interface {
	io.ReadWriter
	// Size is how many columns and rows there are.
	Size() (columns, rows int)
	// Enter takes the keyboard, also from the process groups that owner tells.
	Enter(owner func(group int) bool) error
	// Leave gives it back.
	Leave()
	// Suspend stops kit until the shell lets it go on.
	Suspend() error
}

// Options say how the dialog goes.
type Options struct {
	From    int   // the number of the first call to stop at; the first call is 1
	Color   bool  // colour by meaning
	Dumb    bool  // the terminal cannot move its cursor: nothing is taken off the screen
	Sources fs.FS // the source, by path from the module's top
}

// A Dialog is that of one run.
type Dialog struct {
	o       Options
	screen  Screen
	sources *source.Reader
	paint   *paint
	keys    []key // pressed and not looked at yet
	failed  error // the terminal has nothing more to say

	number  int          // of the call
	quit    int          // exit status, once the reader has quit
	on      bool         // false when they have let it run
	skipped *trace.Event // its moment is not stopped at again
	seen    map[int]bool // processes

	now     waiting
	drawn   []string // the lines of the panel that is on the screen
	columns int      // of the screen then
	say     string   // in the bottom line, once
	past    []*trace.Event
}

// New begins a dialog on a screen.
func New(s Screen, o Options) *Dialog {
	return &Dialog{
		o: o, screen: s, sources: source.NewReader(o.Sources), paint: newPaint(o.Color),
		on: true, seen: map[int]bool{},
	}
}

// Quit is the exit status with which the reader has ended the run, 0 for not.
func (d *Dialog) Quit() int { return d.quit }

// Pause shows a call that is about to happen, and returns when the reader wants it to:
// with 0, or with the exit status of a run that they end here. It is what
// trace.Config.Pause wants.
func (d *Dialog) Pause(e *trace.Event) (quit int) {
	d.number++
	d.seen[e.PID] = true
	if !d.on || d.number < d.o.From || d.skipped != nil && !isNext(d.skipped, e) {
		return 0
	}
	d.skipped = nil
	if err := d.screen.Enter(Groups(d.seen)); err != nil {
		return d.stop(128 + int(unix.SIGHUP))
	}
	defer d.screen.Leave()
	d.now = newWaiting(e)
	d.draw()
	for {
		k, err := d.key()
		if err == nil && !d.press(k) {
			continue
		}
		if err != nil {
			if s := (*SignalError)(nil); errors.As(err, &s) {
				d.quit = 128 + int(s.Signal)
			} else {
				d.quit = 128 + int(unix.SIGHUP)
			}
		}
		d.erase()
		if d.quit != 0 {
			return d.stop(d.quit)
		}
		return 0
	}
}

// isNext tells a call of another moment of a step than the call before. The command's
// begin counts as one.
func isNext(before, e *trace.Event) bool {
	if e.Moment == "" {
		return strings.HasPrefix(e.Call, "execve") && e.Side == trace.Child && before.Moment != ""
	}
	return e.Step != before.Step || e.Moment != before.Moment
}

// stop ends the dialog, and the run with it.
func (d *Dialog) stop(status int) int {
	d.quit, d.on = status, false
	if d.now.Event != nil {
		d.print(d.paint.fail.Sprint(fmt.Sprintf("quit before call %d: ", d.number)) +
			"what has been made for the command is removed\n")
	}
	return status
}

func (d *Dialog) print(text string) { _, _ = io.WriteString(d.screen, text) }

// press does what a key is for. It returns true when the call is to go on.
func (d *Dialog) press(k key) (done bool) {
	switch k {
	case "enter", "n", " ", "right", "down", "pgdn":
		return true
	case "m":
		d.skipped = d.now.Event
		return true
	case "r":
		d.on = false
		return true
	case "q", ctrlC, ctrlD, ctrlBackslash:
		d.quit = 128 + int(unix.SIGINT)
		return true
	case "s":
		d.viewSource()
	case "d":
		d.viewState()
	case "b", "left", "up", "pgup":
		d.viewPast()
	case "?", "h":
		columns, _ := d.screen.Size()
		d.view("help", help(columns), 0, false)
	case ctrlZ:
		d.suspend()
	case "redraw", ctrlL:
	default:
		d.say = string(k) + " is no key here"
	}
	d.redraw()
	return false
}

func (d *Dialog) suspend() {
	d.erase()
	d.print("kit waits before a kernel call; fg brings it back\n")
	if err := d.screen.Suspend(); err != nil {
		d.say = err.Error()
	}
}

// A watcher is a Sink that remembers for the dialog what has happened.
type watcher struct {
	d     *Dialog
	next  trace.Sink
	quiet bool
}

// Sink returns a sink that passes events on to next. With quiet, as on a terminal, those
// that follow when the reader has quit are left out, but for the clean-up.
func (d *Dialog) Sink(next trace.Sink, quiet bool) trace.Sink { return &watcher{d, next, quiet} }

// Event implements trace.Sink.
func (w *watcher) Event(e *trace.Event) error {
	if e.Kind == trace.Syscall && e.Class == trace.Lesson {
		w.d.past = append(w.d.past, e)
	}
	if w.quiet && w.d.quit != 0 && e.Kind != trace.End && e.Moment != "After" {
		return nil
	}
	return w.next.Event(e)
}

// Both returns a sink that gives each event to both.
func Both(a, b trace.Sink) trace.Sink { return both{a, b} }

type both [2]trace.Sink

// Event implements trace.Sink.
func (b both) Event(e *trace.Event) error { return errors.Join(b[0].Event(e), b[1].Event(e)) }
