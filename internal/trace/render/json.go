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
	if err := encoder.Encode(e); err != nil {
		return err
	}
	_, err := s.w.Write(s.buf.Bytes())
	return err
}
