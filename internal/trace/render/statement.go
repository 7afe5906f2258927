package render

import (
	"fmt"
	"strings"

	"github.com/fatih/color"

	"github.com/containerkit/kit/internal/trace"
)

// A section is what one process does for one moment of one step.
type section struct {
	pid    int
	side   trace.Side
	step   int
	moment string
}

// heading begins a new section where another process speaks, or another moment
// of another step has come.
func (t *text) heading(e *trace.Event) {
	s := section{pid: e.PID, side: e.Side, step: e.Step, moment: e.Moment}
	if s == t.section {
		return
	}
	t.leave()
	t.section = s
	t.line("")
	title := cut(t.title(e), t.width()-3)
	rule := strings.Repeat("─", t.width()-1-columns(title))
	t.line(t.p.side(e.Side).Sprint(title) + " " + t.p.aside.Sprint(rule))
}

// leave ends the section that is in force. Reasons are given again in the next.
func (t *text) leave() {
	t.unfold()
	t.section, t.statement, t.told = section{}, "", map[string]*trace.Event{}
}

func (t *text) title(e *trace.Event) string {
	title := fmt.Sprintf("── %s %d", e.Side, e.PID)
	if e.NSPID != 0 && e.NSPID != e.PID {
		title += fmt.Sprintf(" (%d inside)", e.NSPID)
	}
	switch {
	case e.Step == 0 && e.Name == "engine":
		return title + " ─ the engine"
	case e.Step == 0:
		return title + " ─ step 0: " + e.Name
	}
	title += fmt.Sprintf(" ─ step %d %s · %s", e.Step, e.Name, e.Moment)
	if m := meaningOf(e.Moment); columns(title+m) < t.width()-2 {
		title += m
	}
	return title
}

// meaningOf says in words when a moment is (container.Step).
func meaningOf(moment string) string {
	switch moment {
	case "Before":
		return ": there is no child yet"
	case "Parent":
		return ": the child waits"
	case "Child":
		return ": under the old /"
	case "Root":
		return ": a new /"
	case "Inside":
		return ": under the new /"
	case "Last":
		return ": only the command follows"
	case "After":
		return ": the child is gone"
	}
	return ""
}

// place names the statement and gives its reason: once for several calls of it,
// and in a loop over several statements the first time only. It returns the
// statement's last call, nil at the first.
func (t *text) place(e *trace.Event) (before *trace.Event) {
	if e.File == "" {
		return nil
	}
	place := placeOf(e)
	before = t.told[place]
	t.told[place] = e
	if place == t.statement {
		return before
	}
	t.statement = place
	if before != nil {
		t.at(place, "again", t.p.aside)
		return before
	}
	t.line("")
	t.at(place, expression(e.Code), t.p.code)
	if e.Why != "" {
		t.paragraph("why", e.Why)
	}
	return nil
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
