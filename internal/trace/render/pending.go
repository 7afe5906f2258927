package render

import (
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

// Call lays out a call that has not happened yet, with the names of its arguments, in
// lines of at most width columns.
func Call(e *trace.Event, width int) []string {
	e = clean(e)
	texts := arguments(e, nil)
	for i := range texts {
		if i+1 < len(texts) {
			texts[i] += ", "
		}
	}
	if len(texts) == 0 {
		texts = []string{""}
	}
	texts[0] = e.Call + "(" + texts[0]
	texts[len(texts)-1] += ")"
	return fill(texts, width)
}

// Title says who makes a call, and for which moment of which step.
func Title(e *trace.Event) string {
	t := &text{o: TextOptions{Width: 1 << 10}}
	return strings.TrimPrefix(t.title(clean(e)), "── ")
}

// Wrap breaks text into lines of at most width columns, at spaces where it can.
func Wrap(text string, width int) []string { return wrap(printable(text), width) }

// Cut shortens a line to width columns, and shows that it did. A tab is a space.
func Cut(line string, width int) string { return cut(printable(line), width) }
