package render

import (
	"bytes"
	"io"
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

// TextOptions say how a trace is written for people.
type TextOptions struct {
	Verbosity int  // 1 shows the standard library's calls too, 2 the Go runtime's
	Width     int  // columns; 0 is 80, and less than 40 is 40
	Color     bool // colour by meaning
	Errors    bool // say at the end why kit has failed: nobody else does in a replay
}

// NewText returns a sink that writes the annotated trace: for each statement
// where it stands and why it is there, for each call its arguments and result,
// and what it changed in the kernel.
func NewText(w io.Writer, o TextOptions) trace.Sink {
	if o.Width == 0 {
		o.Width = 80
	}
	o.Width = max(o.Width, narrowest)
	return &text{
		w: w, o: o, p: newPalette(o.Color), here: newChapter(section{}), open: map[int]*chapter{},
		said: map[string]bool{},
	}
}

// narrowest is the width under which nothing could be read any more.
const narrowest = 40

type text struct {
	w   io.Writer
	o   TextOptions
	p   *palette
	buf bytes.Buffer

	here    *chapter         // what is being told
	open    map[int]*chapter // by process: what was told of it last
	titles  int              // of steps, so far
	said    map[string]bool  // what sections of the engine are
	last    int              // the command's process whose call was shown last, or -1
	summary summary
}

// Event implements trace.Sink: one write(2) an event. Scenes are for pictures.
func (t *text) Event(e *trace.Event) error {
	t.buf.Reset()
	e = clean(e)
	switch e.Kind {
	case trace.Begin:
		t.begin(e)
	case trace.Syscall:
		t.syscall(e)
		t.summary.learn(e)
	case trace.Note:
		t.note(e)
	case trace.End:
		t.end(e)
	}
	if t.buf.Len() == 0 {
		return nil
	}
	_, err := t.w.Write(t.buf.Bytes())
	return err
}

func (t *text) syscall(e *trace.Event) {
	switch {
	case !t.shows(e.Class):
		t.summary.hide(e)
		return
	case e.Class == trace.Bookkeeping || e.Class == trace.Runtime:
		t.aside(e)
		return
	}
	t.heading(e)
	if t.repeats(e) {
		t.here.again++
		t.summary.hide(e)
		return
	}
	if t.plumbing(e) {
		t.short(e)
		return
	}
	before := t.place(e)
	t.call(e, before)
	t.decoded(e)
	t.outcome(e)
	if t.picture(e) {
		return
	}
	t.changes(e.Changes)
}

func (t *text) shows(c trace.Class) bool {
	switch c {
	case trace.Bookkeeping:
		return t.o.Verbosity >= 1
	case trace.Runtime:
		return t.o.Verbosity >= 2
	}
	return true
}

// note says something about a process, or where there is none about the run.
func (t *text) note(e *trace.Event) {
	if e.PID == 0 {
		t.leave()
		t.line("")
	} else {
		t.heading(e)
	}
	t.paragraph("note", e.Text)
	t.last = -1
}

// labelWidth is how far what stands behind a label is indented.
const labelWidth = 10

// room is how many columns there are behind a label.
func (t *text) room() int { return t.width() - labelWidth }

// width is how many columns there are behind the bar.
func (t *text) width() int { return t.o.Width - 2 }

func (t *text) paragraph(label, words string) {
	for i, l := range wrap(words, t.room()) {
		t.labelled(label, i, l)
	}
}

// labelled writes a line behind its label; the lines after the first have none.
func (t *text) labelled(label string, i int, line string) {
	if i > 0 || label == "" {
		t.line(strings.Repeat(" ", labelWidth) + line)
		return
	}
	t.line("  " + t.p.label(label).Sprintf("%-*s", labelWidth-2, label) + line)
}

// line writes a line of the process that speaks.
func (t *text) line(line string) { t.lineOf(t.here.side, line) }

// lineOf writes a line, behind a bar where it is the child's.
func (t *text) lineOf(side trace.Side, line string) {
	if side == trace.Child {
		t.buf.WriteString(t.p.child.Sprint("│"))
		if line != "" {
			t.buf.WriteByte(' ')
		}
	}
	t.buf.WriteString(line)
	t.buf.WriteByte('\n')
}
