// Package render writes a record of events for people and for programs.
package render

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/containerkit/kit/internal/trace"
)

// NewJSON returns a sink that writes an event a line, as JSON. The form is that
// of trace.Event, version trace.Version.
func NewJSON(w io.Writer) trace.Sink { return &jsonSink{w: w} }

type jsonSink struct {
	w   io.Writer
	buf bytes.Buffer
}

// Event implements trace.Sink: one write(2) an event, so that a record that is
// cut off ends with a whole line.
func (s *jsonSink) Event(e *trace.Event) error {
	s.buf.Reset()
	encoder := json.NewEncoder(&s.buf)
	encoder.SetEscapeHTML(false) // 5</proc> is easier to read than 5\u003c/proc\u003e
	if err := encoder.Encode(form(e)); err != nil {
		return err
	}
	_, err := s.w.Write(s.buf.Bytes())
	return err
}

// copy implements copier.
func (s *jsonSink) copy(line []byte) error {
	_, err := s.w.Write(line)
	return err
}

// A syscallForm is a system call with the keys that every one of them has, empty
// or not: a script need not ask whether they are there.
type syscallForm struct {
	*trace.Event
	Step     int            `json:"step"`
	Moment   string         `json:"moment"`
	Why      string         `json:"why"`
	Args     []trace.Arg    `json:"args"`
	Errno    string         `json:"errno"`
	Injected bool           `json:"injected"`
	Changes  []trace.Change `json:"changes"`
}

// A frameForm is an event without the keys of a system call.
type frameForm struct {
	*trace.Event
	Step *int `json:"step,omitempty"`
}

// form gives an event the keys of its kind.
func form(e *trace.Event) any {
	if e.Kind != trace.Syscall {
		return frameForm{Event: e}
	}
	f := syscallForm{
		Event: e, Step: e.Step, Moment: e.Moment, Why: e.Why,
		Args: e.Args, Errno: e.Errno, Injected: e.Injected, Changes: e.Changes,
	}
	if f.Args == nil {
		f.Args = []trace.Arg{}
	}
	if f.Changes == nil {
		f.Changes = []trace.Change{}
	}
	return f
}
