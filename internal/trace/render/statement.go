package render

import (
	"fmt"
	"strings"

	"github.com/fatih/color"

	"github.com/containerkit/kit/internal/trace"
)

// place names the statement and gives its reason: once for several calls of it,
// and in a loop over several statements the first time only. It returns the
// statement's last call, nil at the first.
func (t *text) place(e *trace.Event) (before *trace.Event) {
	if e.Class == trace.Command {
		t.process(e)
		return nil
	}
	if e.File == "" {
		return nil
	}
	place := placeOf(e)
	before = t.here.told[place]
	t.here.told[place] = e
	if place == t.here.statement {
		return before
	}
	if before != nil {
		t.here.statement = place
		t.at(place, "again", t.p.aside)
		return before
	}
	if t.here.statement != "" || !t.here.short {
		t.line("")
	}
	t.here.statement, t.here.short = place, false
	t.at(place, expression(e.Code), t.p.code)
	if e.Why != "" {
		t.paragraph("why", e.Why)
	}
	return nil
}

// process tells which of the command's processes speaks.
func (t *text) process(e *trace.Event) {
	if e.PID == t.last {
		return
	}
	if t.last != 0 {
		t.line("")
	}
	t.last = e.PID
	title := fmt.Sprintf("process %d", e.PID)
	if e.NSPID != 0 && e.NSPID != e.PID {
		title += fmt.Sprintf(" (%d inside)", e.NSPID)
	}
	t.line(t.p.place.Sprint(title))
}

func placeOf(e *trace.Event) string { return fmt.Sprintf("%s:%d", e.File, e.Line) }

// at writes a place, and behind it the words for which there is room.
func (t *text) at(place, words string, style *color.Color) {
	room := t.width() - columns(place) - 2
	line := t.p.place.Sprint(cut(place, t.width()))
	if words != "" && room > 4 {
		line += "  " + style.Sprint(cut(words, room))
	}
	t.line(line)
}

// expression is the code of a statement without what Go asks for around an
// expression whose error is looked at.
func expression(code string) string {
	code = strings.TrimSuffix(code, " {")
	code = strings.TrimSuffix(code, "; err != nil")
	code = strings.TrimPrefix(code, "if ")
	code = strings.TrimPrefix(code, "return ")
	return strings.TrimPrefix(strings.TrimPrefix(code, "err := "), "err = ")
}
