package render

import (
	"fmt"
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

// call writes the call with the names of its arguments, and its result. What is the
// same as in the statement's call before is left out.
func (t *text) call(e, before *trace.Event) {
	if t.o.Verbosity > 0 {
		before = nil
	}
	for i, l := range fill(unitsOf(e, before), t.room()) {
		switch {
		case e.Errno != "" || e.Refused != "":
			l = t.p.fail.Sprint(l)
		case i == 0:
			l = t.p.call.Sprint(e.Call) + strings.TrimPrefix(l, e.Call)
		}
		t.labelled("call", i, l)
	}
}

// outcome says what an error means here.
func (t *text) outcome(e *trace.Event) {
	switch {
	case e.Injected && e.Meaning != "":
		t.paragraph("inject", e.Meaning)
	case e.Injected:
		t.paragraph("inject", "made to fail: the kernel was not asked")
	case e.Meaning != "":
		t.paragraph("error", e.Meaning)
	}
	n := 0
	for _, line := range e.Log {
		for _, l := range wrap(line, t.room()) {
			t.labelled("log", n, l)
			n++
		}
	}
}

// aside writes a call that is not part of the lesson, in one line. It begins no
// section: such calls of several processes alternate.
func (t *text) aside(e *trace.Event) {
	label := "library"
	if e.Class == trace.Runtime {
		label = "runtime"
	}
	line := fmt.Sprintf("  %-*s", labelWidth-2, label)
	if e.PID != t.here.pid {
		line += fmt.Sprintf("(%d) ", e.PID)
	}
	line += strings.Join(unitsOf(e, nil), "")
	t.here.short = false
	t.lineOf(e.Side, t.p.aside.Sprint(cut(line, t.width())))
}

// unitsOf are the parts of a call that are best kept in one line: the
// arguments, the last of them with the result.
func unitsOf(e, before *trace.Event) []string {
	texts := arguments(e, before)
	if len(texts) == 0 {
		return []string{e.Call + "()" + resultOf(e)}
	}
	for i := range texts[1:] {
		texts[i] += ", "
	}
	texts[0] = e.Call + "(" + texts[0]
	texts[len(texts)-1] += ")" + resultOf(e)
	return texts
}

// arguments are those of a call, by name; an ellipsis stands for those that are
// the same in the call before.
func arguments(e, before *trace.Event) []string {
	var texts []string
	for i, a := range e.Args {
		switch {
		case !repeats(e, before, i):
			texts = append(texts, a.Name+": "+a.Text)
		case len(texts) == 0 || texts[len(texts)-1] != "…":
			texts = append(texts, "…")
		}
	}
	if len(texts) == 1 && texts[0] == "…" {
		return arguments(e, nil)
	}
	return texts
}

func repeats(e, before *trace.Event, i int) bool {
	return before != nil && before.Call == e.Call && i < len(before.Args) &&
		before.Args[i].Name == e.Args[i].Name && before.Args[i].Text == e.Args[i].Text
}

func resultOf(e *trace.Event) string {
	switch {
	case e.Errno != "":
		return " = " + e.Errno
	case e.RetText != "":
		return " = " + e.RetText
	case e.Ret != nil:
		return fmt.Sprintf(" = %d", *e.Ret)
	}
	return " does not return"
}
