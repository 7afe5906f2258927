package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/containerkit/kit/internal/trace"
)

// TextOptions say how a trace is written for people.
type TextOptions struct {
	Verbosity int  // 1 shows the standard library's calls too, 2 the Go runtime's
	Width     int  // columns; 0 is 80
	Color     bool // colour by meaning
}

// NewText returns a sink that writes the annotated trace: for each statement
// where it stands and why it is there, for each call its arguments and result,
// and what it changed in the kernel.
func NewText(w io.Writer, o TextOptions) trace.Sink {
	if o.Width == 0 {
		o.Width = 80
	}
	return &text{w: w, o: o, p: newPalette(o.Color), folded: map[trace.Class]int{}}
}

type text struct {
	w   io.Writer
	o   TextOptions
	p   *palette
	buf bytes.Buffer

	section   string // the heading that is in force
	statement string // the place whose reason has been given
	folded    map[trace.Class]int
}

// Event implements trace.Sink: one write(2) an event.
func (t *text) Event(e *trace.Event) error {
	t.buf.Reset()
	switch e.Kind {
	case trace.Begin:
		t.begin(e)
	case trace.Syscall:
		t.syscall(e)
	case trace.Note:
		t.heading(e)
		t.paragraph("note", e.Text)
	case trace.End:
		t.fold()
		t.section = ""
		t.end(e)
	}
	if t.buf.Len() == 0 {
		return nil
	}
	_, err := t.w.Write(t.buf.Bytes())
	return err
}

func (t *text) begin(e *trace.Event) {
	who := "as root"
	if e.Rootless != nil && *e.Rootless {
		who = "without root"
	}
	t.line("%s", t.p.call.Sprint(strings.Join(e.Argv, " ")))
	t.line("Linux %s, cgroup %s, %s. Every kernel call that builds the container:",
		e.Kernel, e.Cgroup, who)
	t.line("the %s stays on the host; the %s, %s, becomes the command.",
		t.p.parent.Sprint("parent"), t.p.child.Sprint("child"), "behind the bar")
}

func (t *text) end(e *trace.Event) {
	exit := 0
	if e.Exit != nil {
		exit = *e.Exit
	}
	t.line("")
	t.line("%s", t.p.aside.Sprintf("exit status %d; %d calls of the lesson, %d of the Go library, %d of its runtime",
		exit, e.Syscalls[trace.Lesson], e.Syscalls[trace.Bookkeeping], e.Syscalls[trace.Runtime]))
}

func (t *text) syscall(e *trace.Event) {
	if e.Class != trace.Lesson && !t.shows(e.Class) {
		t.folded[e.Class]++
		return
	}
	t.heading(e)
	if e.Class != trace.Lesson {
		t.aside(e)
		return
	}
	t.place(e)
	t.call(e)
	t.changes(e.Changes)
}

func (t *text) shows(c trace.Class) bool {
	return c == trace.Bookkeeping && t.o.Verbosity >= 1 || c == trace.Runtime && t.o.Verbosity >= 2
}

// heading begins a new section where another process speaks, or another moment
// of another step has come.
func (t *text) heading(e *trace.Event) {
	step := "the engine"
	if e.Step > 0 {
		step = fmt.Sprintf("step %d %s · %s", e.Step, e.Name, e.Moment)
	}
	section := fmt.Sprintf("%s %d %s", e.Side, e.PID, step)
	if section == t.section {
		return
	}
	t.fold()
	t.section, t.statement = section, ""
	who := fmt.Sprintf("%s %d", e.Side, e.PID)
	if e.NSPID != 0 && e.NSPID != e.PID {
		who += fmt.Sprintf(" (%d inside)", e.NSPID)
	}
	rule := max(t.o.Width-utf8.RuneCountInString(who+step)-8, 0)
	t.line("")
	t.line("%s %s", t.p.side(string(e.Side)).Sprintf("── %s ─ %s", who, step),
		t.p.aside.Sprint(strings.Repeat("─", rule)))
}

// place names the statement and gives its reason, once for several calls of it.
func (t *text) place(e *trace.Event) {
	statement := fmt.Sprintf("%s:%d", e.File, e.Line)
	if e.File == "" || statement == t.statement {
		return
	}
	t.statement = statement
	t.line("")
	room := t.width() - utf8.RuneCountInString(statement) - 2
	t.line("%s  %s", t.p.place.Sprint(statement), t.p.code.Sprint(cut(e.Code, room)))
	if e.Why != "" {
		t.paragraph("why", e.Why)
	}
}

// call writes the call with the names of its arguments, its result, and, where
// it failed, what that means here.
func (t *text) call(e *trace.Event) {
	result, failed := resultOf(e)
	pieces := callPieces(e)
	lines := join(append(pieces, result), t.width()-labelWidth)
	if !failed {
		lines[0] = strings.Replace(lines[0], e.Call, t.p.call.Sprint(e.Call), 1)
	}
	for i, l := range lines {
		if failed {
			l = t.p.fail.Sprint(l)
		}
		t.labelled("call", i, l)
	}
	if e.Injected {
		t.paragraph("", "(the error was injected: the kernel was not asked)")
	}
	if e.Meaning != "" {
		t.paragraph("error", e.Meaning)
	}
}

// callPieces are the parts of a call between which a line may be broken.
func callPieces(e *trace.Event) []string {
	if len(e.Args) == 0 {
		return []string{e.Call + "()"}
	}
	var pieces []string
	for i, a := range e.Args {
		end := ", "
		if i == len(e.Args)-1 {
			end = ")"
		}
		words := strings.SplitAfter(a.Name+": "+a.Text+end, "|")
		if i == 0 {
			words[0] = e.Call + "(" + words[0]
		}
		pieces = append(pieces, words...)
	}
	return pieces
}

func resultOf(e *trace.Event) (text string, failed bool) {
	switch {
	case e.Errno != "":
		return " = " + e.Errno, true
	case e.RetText != "":
		return " = " + e.RetText, false
	case e.Ret != nil:
		return fmt.Sprintf(" = %d", *e.Ret), false
	}
	return " does not return", false
}

// manyChanges is how many changes of one call are shown without -v: an unmount
// of the old root takes all mounts below it along.
const manyChanges = 6

func (t *text) changes(all []trace.Change) {
	shown := all
	if t.o.Verbosity == 0 && len(all) > manyChanges+1 {
		shown = all[:manyChanges]
	}
	n := 0
	for _, c := range shown {
		for _, l := range t.change(c) {
			t.labelled("kernel", n, l)
			n++
		}
	}
	if more := len(all) - len(shown); more > 0 {
		t.labelled("kernel", n, t.p.aside.Sprintf("and %d more like these (-v)", more))
	}
}

// change tells what a call changed: what came in green, what went in red. What
// does not fit in one line takes two.
func (t *text) change(c trace.Change) []string {
	what, value, length := c.What, "", 0
	switch {
	case c.After == "":
		what, value, length = t.p.went.Sprint("- "+c.What), c.Before, 2
	case c.Before == "":
		what, value, length = t.p.came.Sprint("+ "+c.What), c.After, 2
	default:
		value = t.p.went.Sprint(c.Before) + " → " + t.p.came.Sprint(c.After)
		length = utf8.RuneCountInString(" → ")
	}
	length += utf8.RuneCountInString(c.What + "  " + c.Before + c.After)
	if value == "" || length <= t.width()-labelWidth {
		return []string{strings.TrimRight(what+"  "+value, " ")}
	}
	return []string{what, "  " + value}
}

// aside writes a call that is not part of the lesson, in one line.
func (t *text) aside(e *trace.Event) {
	result, _ := resultOf(e)
	line := strings.Join(callPieces(e), "") + result
	t.labelled(string(e.Class)[:4], 0, t.p.aside.Sprint(cut(line, t.width()-labelWidth)))
}

// fold tells how many calls were left out since the last time.
func (t *text) fold() {
	runtime, library := t.folded[trace.Runtime], t.folded[trace.Bookkeeping]
	clear(t.folded)
	var parts []string
	if runtime > 0 {
		parts = append(parts, fmt.Sprintf("+%d Go runtime (-vv)", runtime))
	}
	if library > 0 {
		parts = append(parts, fmt.Sprintf("+%d Go library (-v)", library))
	}
	if len(parts) > 0 && t.section != "" {
		t.labelled("", 0, t.p.aside.Sprint(strings.Join(parts, ", ")))
	}
}

// labelWidth is how far what stands behind a label is indented.
const labelWidth = 10

func (t *text) paragraph(label, words string) {
	for i, l := range wrap(words, t.width()-labelWidth) {
		t.labelled(label, i, l)
	}
}

// labelled writes a line behind its label; the lines after the first have none.
func (t *text) labelled(label string, i int, line string) {
	if i > 0 {
		label = ""
	}
	t.line("  %s%s", t.p.aside.Sprint(fmt.Sprintf("%-*s", labelWidth-2, label)), line)
}

// width is how many columns there are behind the bar.
func (t *text) width() int { return t.o.Width - 2 }

// line writes a line, behind a bar where the child speaks.
func (t *text) line(format string, args ...any) {
	if strings.HasPrefix(t.section, "child") {
		t.buf.WriteString(t.p.child.Sprint("│ "))
	}
	fmt.Fprintf(&t.buf, format+"\n", args...)
}
