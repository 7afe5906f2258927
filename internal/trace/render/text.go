package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

// TextOptions say how a trace is written for people.
type TextOptions struct {
	Verbosity int  // 1 shows the standard library's calls too, 2 the Go runtime's
	Width     int  // columns; 0 is 80, and less than 40 is 40
	Color     bool // colour by meaning
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
		w: w, o: o, p: newPalette(o.Color),
		told: map[string]*trace.Event{}, folded: map[int]*calls{},
	}
}

// narrowest is the width under which nothing could be read any more.
const narrowest = 40

type text struct {
	w   io.Writer
	o   TextOptions
	p   *palette
	buf bytes.Buffer

	section   section
	statement string                  // the place that was named last
	told      map[string]*trace.Event // by place: the last call of those whose reason was given
	folded    map[int]*calls          // by process
}

// Event implements trace.Sink: one write(2) an event.
func (t *text) Event(e *trace.Event) error {
	t.buf.Reset()
	e = clean(e)
	switch e.Kind {
	case trace.Begin:
		t.begin(e)
	case trace.Syscall:
		t.syscall(e)
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

func (t *text) begin(e *trace.Event) {
	words := shellWords(e.Argv)
	for i, w := range words {
		words[i] = cut(w, 4*t.o.Width) // the user knows the rest
	}
	for _, l := range fill(words, t.o.Width) {
		t.line(t.p.call.Sprint(l))
	}
	who := "as root"
	if e.Rootless != nil && *e.Rootless {
		who = "without root"
	}
	where := fmt.Sprintf("Linux %s, cgroup %s, %s", e.Kernel, e.Cgroup, who)
	for _, l := range wrap(where, t.o.Width) {
		t.line(l)
	}
	sides := strings.NewReplacer("parent", t.p.parent.Sprint("parent"),
		"child", t.p.child.Sprint("child"), "│", t.p.child.Sprint("│"))
	for _, l := range wrap(introduction, t.o.Width) {
		t.line(sides.Replace(l))
	}
}

const introduction = "Every kernel call that makes the container. The parent stays on the " +
	"host; the child │ becomes the command. why: the comment in the source; kernel: what the " +
	"call changed."

func (t *text) syscall(e *trace.Event) {
	if e.Class != trace.Lesson && !t.shows(e.Class) {
		t.fold(e)
		return
	}
	if e.Class != trace.Lesson {
		t.aside(e)
		return
	}
	t.heading(e)
	if t.repeats(e) {
		t.fold(e)
		return
	}
	before := t.place(e)
	t.call(e, before)
	t.decoded(e)
	t.outcome(e)
	if e.Call == "execve" || e.Call == "execveat" {
		t.picture(e.Changes)
		return
	}
	t.changes(e.Changes)
}

func (t *text) shows(c trace.Class) bool {
	return c == trace.Bookkeeping && t.o.Verbosity >= 1 || c == trace.Runtime && t.o.Verbosity >= 2
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
}

func (t *text) end(e *trace.Event) {
	t.leave()
	t.foldAll()
	counts := fmt.Sprintf("%d calls of the lesson, %d of the Go library, %d of its runtime",
		e.Syscalls[trace.Lesson], e.Syscalls[trace.Bookkeeping], e.Syscalls[trace.Runtime])
	if e.Exit != nil {
		counts = fmt.Sprintf("exit status %d; %s", *e.Exit, counts)
	}
	t.line("")
	for _, l := range wrap(counts, t.o.Width) {
		t.line(t.p.aside.Sprint(l))
	}
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
	t.line("  " + t.p.aside.Sprintf("%-*s", labelWidth-2, label) + line)
}

// line writes a line of the process that speaks.
func (t *text) line(line string) { t.lineOf(t.section.side, line) }

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
