package render

import (
	"fmt"
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

// A section is what one process does for one moment of one step, or what the user's
// command does in all its processes.
type section struct {
	pid     int
	side    trace.Side
	step    int
	moment  string
	command bool
}

// A chapter is a section, and what has been told of it.
type chapter struct {
	section
	statement string                  // the place that was named last
	short     bool                    // the last call was told in short, or nothing yet
	titles    int                     // of steps, when it was left
	told      map[string]*trace.Event // by place: the last call of those whose reason was given
	again     int                     // calls left out: their like has been told
}

func newChapter(s section) *chapter {
	return &chapter{section: s, told: map[string]*trace.Event{}}
}

func sectionOf(e *trace.Event) section {
	if e.Class == trace.Command {
		return section{side: e.Side, command: true}
	}
	return section{pid: e.PID, side: e.Side, step: e.Step, moment: e.Moment}
}

// engine tells what kit itself does around the steps.
func (s section) engine() bool { return s.step == 0 && !s.command }

// heading begins a new section where another process speaks, or another moment
// of another step has come.
func (t *text) heading(e *trace.Event) {
	s := sectionOf(e)
	if s == t.here.section {
		return
	}
	t.leave()
	t.here = t.open[s.pid]
	goesOn := t.here != nil && t.here.section == s
	if !goesOn {
		t.here = newChapter(s)
		t.open[s.pid] = t.here
	}
	t.here.statement, t.here.short = "", true
	t.line("")
	if goesOn && s.engine() && t.here.titles == t.titles {
		return // parent and child talk: the bar tells who speaks
	}
	if !s.engine() {
		t.titles++
	}
	t.rule(e, goesOn)
}

// rule writes the line above a section, and below it what the moment is.
func (t *text) rule(e *trace.Event, goesOn bool) {
	title := cut(t.title(e), t.width()-3)
	if more := ", continued"; goesOn && columns(title+more) < t.width()-2 {
		title += more
	}
	rule := strings.Repeat("─", t.width()-1-columns(title))
	t.line(t.p.side(e.Side).Sprint(title) + " " + t.p.aside.Sprint(rule))
	meaning := meaningOf(e)
	if goesOn || e.Step == 0 && t.said[meaning] {
		t.line("")
		return
	}
	t.said[meaning] = true
	for _, l := range wrap(meaning, t.width()-3) {
		if l != "" {
			t.line("   " + l)
		}
	}
	t.line("")
}

// leave ends the section that is being told.
func (t *text) leave() {
	if n := t.here.again; n > 0 {
		t.here.again = 0
		words := fmt.Sprintf("+%d of statements above, which changed nothing (-v)", n)
		for i, l := range wrap(words, t.room()) {
			t.labelled("more", i, t.p.aside.Sprint(l))
		}
	}
	t.here.titles = t.titles
	t.here, t.last = newChapter(section{}), 0
}

func (t *text) title(e *trace.Event) string {
	if e.Class == trace.Command {
		return "── the command"
	}
	title := fmt.Sprintf("── %s %d", e.Side, e.PID)
	if e.NSPID != 0 && e.NSPID != e.PID {
		title += fmt.Sprintf(" (%d inside)", e.NSPID)
	}
	switch {
	case e.Step == 0 && e.Name == "engine":
		return title + " ── kit itself"
	case e.Step == 0:
		return title + " ── step 0 " + e.Name
	}
	return title + fmt.Sprintf(" ── step %d %s · %s", e.Step, e.Name, e.Moment)
}

// meaningOf says in a sentence what happens in a section. Moments are those of
// container.Step.
func meaningOf(e *trace.Event) string {
	switch {
	case e.Class == trace.Command:
		return "What it does about containers itself: namespaces, mounts, rights."
	case e.Step == 0 && e.Name == "engine" && e.Side == trace.Child:
		return "Not a step: a new process, which runs the steps' part inside."
	case e.Step == 0 && e.Name == "engine":
		return "Not a step: what runs the steps, starts the child, and waits."
	case e.Step == 0:
		return "A user namespace of our own, in which we are root."
	}
	switch e.Moment {
	case "Before":
		return "On the host. There is no child yet."
	case "Parent":
		return "On the host. The child is there, and waits."
	case "Child":
		return "In the child's namespaces. It still sees the host's files."
	case "Root":
		return "Another directory becomes the child's /."
	case "Inside":
		return "Under the new /: it is furnished."
	case "Last":
		return "Rights are given up for good. Only the command follows."
	case "After":
		return "On the host. The child is gone: what it leaves is cleaned up."
	}
	return ""
}
