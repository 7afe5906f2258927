package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

// A summary is what is told at the end: what the command had, by what the kernel
// said when it began.
type summary struct {
	kernel   string
	command  *trace.Event // its execve, with the picture of it
	mounts   []mount      // made for it, as far as they are still there
	hostname string
	hidden   struct{ again, library, runtime int }
}

// A mount is where, and what.
type mount struct {
	point, text string
	moved       bool
}

// hide counts a call that is not shown.
func (s *summary) hide(e *trace.Event) {
	switch e.Class {
	case trace.Bookkeeping:
		s.hidden.library++
	case trace.Runtime:
		s.hidden.runtime++
	default:
		s.hidden.again++
	}
}

// learn keeps what a call has changed for the child.
func (s *summary) learn(e *trace.Event) {
	if e.Side != trace.Child || s.command != nil {
		return
	}
	if isPicture(e) {
		s.command = e
		return
	}
	pivoted := false
	for _, c := range e.Changes {
		if c.What == "mount /" && c.After == "" {
			return // the host's mounts go with its root
		}
		pivoted = pivoted || e.Call == "pivot_root" && c.After == "/"
		if point, ok := strings.CutPrefix(c.What, "mount "); ok {
			s.mount(point, c)
		}
		if c.What == "hostname" {
			s.hostname = c.After
		}
	}
	if pivoted { // what was not moved along belongs to the old root
		s.mounts = slices.DeleteFunc(s.mounts, func(m mount) bool { return !m.moved })
	}
}

// mount follows a mount that came, went, or is found at another place now.
func (s *summary) mount(point string, c trace.Change) {
	switch {
	case c.Before == "":
		s.mounts = append(s.mounts, mount{point: point, text: c.After})
	case c.After == "":
		i := slices.IndexFunc(s.mounts, func(m mount) bool {
			return m.point == point && fileSystem(m.text) == fileSystem(c.Before)
		})
		if i >= 0 {
			s.mounts = slices.Delete(s.mounts, i, i+1)
		}
	case strings.HasPrefix(c.Before, "/"):
		for i := len(s.mounts) - 1; i >= 0; i-- { // of two at one place, the upper one
			if s.mounts[i].point == c.Before {
				s.mounts[i].point, s.mounts[i].moved = c.After, true
				return
			}
		}
	}
}

// fewMounts is how many mounts are named one by one.
const fewMounts = 9

// points are where the mounts are; of many, those below another one are counted.
func (s *summary) points() []string {
	var points []string
	below := map[string]int{}
	for _, m := range s.mounts {
		top := "/" + strings.SplitN(strings.TrimPrefix(m.point, "/"), "/", 2)[0]
		if len(s.mounts) > fewMounts && top != m.point && slices.Contains(points, top) {
			below[top]++
			continue
		}
		points = append(points, m.point)
	}
	for i, point := range points {
		if n := below[point]; n > 0 {
			points[i] = fmt.Sprintf("%s (and %d below it)", point, n)
		}
	}
	return points
}

// fileSystem is a mount's text without its options, which may change.
func fileSystem(text string) string {
	text, _, _ = strings.Cut(text, ", ")
	return text[:max(strings.LastIndexByte(text, ' '), 0)]
}

// end tells how it ended, and in short what the command had.
func (t *text) end(e *trace.Event) {
	t.leave()
	t.line("")
	title := "── in short"
	t.line(t.p.call.Sprint(title) + " " +
		t.p.aside.Sprint(strings.Repeat("─", t.width()-1-columns(title))))
	t.line("")
	t.had(e)
	t.counts(e)
	if !t.o.Errors || e.Error == "" {
		return
	}
	t.line("")
	for _, l := range strings.Split(e.Error, "\n") {
		t.paragraph("error", l)
	}
	for _, hint := range e.Hints {
		t.paragraph("hint", hint)
	}
}

// had tells what was the command's own.
func (t *text) had(e *trace.Event) {
	s := &t.summary
	if s.command == nil {
		if e.Exit != nil {
			t.paragraph("command", fmt.Sprintf("did not begin; exit status %d", *e.Exit))
		}
		return
	}
	p := portraitOf(s.command.Changes)
	ran := fmt.Sprintf("%s, process %d", p.program(), s.command.PID)
	if s.command.NSPID != 0 && s.command.NSPID != s.command.PID {
		ran += fmt.Sprintf(" (%d inside)", s.command.NSPID)
	}
	if e.Exit != nil {
		ran += fmt.Sprintf("; exit status %d", *e.Exit)
	}
	t.paragraph("command", ran)
	for _, l := range p.lines() {
		t.paragraph(l.label, l.text)
	}
	if s.hostname != "" {
		t.paragraph("name", s.hostname)
	}
	if len(s.mounts) > 0 {
		t.paragraph("mounts", strings.Join(s.points(), ", "))
	}
}

// counts tells how many calls there were, and which were not shown.
func (t *text) counts(e *trace.Event) {
	words := fmt.Sprintf("%d of kit's statements", e.Syscalls[trace.Lesson])
	if n := e.Syscalls[trace.Command]; n > 0 {
		words += fmt.Sprintf(", %d of the command", n)
	}
	words += fmt.Sprintf(", %d of Go's library, %d of Go's runtime",
		e.Syscalls[trace.Bookkeeping], e.Syscalls[trace.Runtime])
	t.paragraph("calls", words)
	var hidden []string
	for _, h := range []struct {
		n    int
		what string
	}{
		{t.summary.hidden.again, "of the statements (-v)"},
		{t.summary.hidden.library, "of the library (-v)"},
		{t.summary.hidden.runtime, "of the runtime (-vv)"},
	} {
		if h.n > 0 {
			hidden = append(hidden, fmt.Sprintf("%d %s", h.n, h.what))
		}
	}
	if len(hidden) > 0 {
		for _, l := range wrap("not shown: "+strings.Join(hidden, ", "), t.room()) {
			t.labelled("", 0, t.p.aside.Sprint(l))
		}
	}
}
