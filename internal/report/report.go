// Package report makes one HTML page of a trace: what was called, where and why, what it
// changed, and pictures of what the kernel showed meanwhile. The page is a single file
// that loads nothing, and all that it says is in its HTML: the script only filters and
// walks.
package report

import (
	"io"
	"io/fs"

	"github.com/containerkit/kit/internal/trace"
)

// A Report collects the events of a record, of which Write makes the page. It is a
// trace.Sink.
type Report struct {
	sources fs.FS
	events  []*trace.Event
	left    int // calls that are not the lesson's, beyond maxEvents
}

// maxEvents is how many events a page holds before those that are not the lesson's are
// only counted: a browser has to lay it out.
const maxEvents = 12000

// New returns a report without events. Sources holds the files that events name, by path
// from the module's top; one that it does not have is left out.
func New(sources fs.FS) *Report { return &Report{sources: sources} }

// Event implements trace.Sink.
func (r *Report) Event(e *trace.Event) error {
	if len(r.events) >= maxEvents && e.Kind == trace.Syscall && e.Class != trace.Lesson {
		r.left++
		return nil
	}
	r.events = append(r.events, e)
	return nil
}

// Empty tells that there is nothing to make a page of.
func (r *Report) Empty() bool { return len(r.events) == 0 }

// Write writes the page. A record without an end is shown as far as it goes.
func (r *Report) Write(w io.Writer) error {
	_, err := io.WriteString(w, newPage(r).String())
	return err
}
