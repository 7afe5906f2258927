package render

import (
	"fmt"
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

// legend tells a newcomer what the parts of the trace are.
var legend = [...]struct{ part, meaning string }{
	{"parent", "kit on the host: it prepares, starts the child, waits, cleans up"},
	{"child", "the process that becomes the container: kit, until its last execve"},
	{"file:line", "the statement that makes a call, in kit's source"},
	{"why", "the comment above that statement"},
	{"call", "the system call: its arguments by name = its result"},
	{"kernel", "what is different now: before → after, + what came, - what went"},
}

const (
	legendWidth = 12
	shortened   = "Lines without these labels are kit's own machinery, in short (-v: in full)."
)

// begin tells what is observed, and how to read what follows.
func (t *text) begin(e *trace.Event) {
	t.summary.kernel = e.Kernel
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
	t.line("")
	for _, l := range legend {
		t.explain(l.part, l.meaning)
	}
	if t.o.Verbosity == 0 {
		for _, l := range wrap(shortened, t.width()) {
			t.line("  " + t.p.aside.Sprint(l))
		}
	}
}

// explain writes a line of the legend in the form of what it explains.
func (t *text) explain(part, meaning string) {
	style, side := t.p.label(part), trace.Parent
	switch part {
	case "parent":
		style = t.p.parent
	case "child":
		style, side = t.p.child, trace.Child
	case "file:line":
		style = t.p.place
	}
	gap := strings.Repeat(" ", legendWidth-2-len(part))
	for i, l := range wrap(meaning, t.o.Width-legendWidth) {
		head := strings.Repeat(" ", legendWidth-2)
		if i == 0 {
			head = style.Sprint(part) + gap
		}
		if side == trace.Parent {
			head = "  " + head
		}
		t.lineOf(side, head+l)
	}
}
