package render

import (
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

// plumbing tells the calls of kit's own machinery that changed nothing: a reader who
// came for the steps may skip them.
func (t *text) plumbing(e *trace.Event) bool {
	switch e.Call {
	case "clone", "clone3", "fork", "vfork": // a process is born
		return false
	}
	return t.o.Verbosity == 0 && e.Class == trace.Lesson && e.Step == 0 && e.File != "" &&
		len(e.Changes) == 0 && e.Errno == "" && e.Refused == "" && !e.Injected
}

// short tells where, call and why in few lines: the call in one, however much of it
// that leaves out, and the reason once.
func (t *text) short(e *trace.Event) {
	place := placeOf(e)
	before := t.here.told[place]
	t.here.told[place] = e
	if !t.here.short {
		t.line("")
	}
	t.here.short, t.here.statement = true, place
	where := cut(place, t.width()) + "  "
	room := t.width() - columns(where)
	if room < 24 {
		t.line(t.p.aside.Sprint(cut(place, t.width())))
		where, room = "  ", t.width()-2
	}
	t.line(t.p.aside.Sprint(where + cut(inOneLine(e, room), room)))
	if before != nil || e.Why == "" {
		return
	}
	for _, l := range wrap(e.Why, t.width()-4) {
		t.line("    " + l)
	}
}

// inOneLine is a call with as many of its arguments as there is room for; those that
// tell nothing about this call are the first to be left out.
func inOneLine(e *trace.Event, room int) string {
	keep := make([]bool, len(e.Args))
	for i, a := range e.Args {
		keep[i] = !mute(a.Text)
	}
	for last := len(keep) - 1; ; last-- {
		line := e.Call + "(" + strings.Join(kept(e.Args, keep), ", ") + ")" + resultOf(e)
		if last < 0 || columns(line) <= room {
			return line
		}
		keep[last] = false
	}
}

// kept are some arguments, with an ellipsis where there are more.
func kept(args []trace.Arg, keep []bool) []string {
	var list []string
	for i, a := range args {
		switch {
		case keep[i]:
			list = append(list, a.Name+": "+a.Text)
		case len(list) == 0 || list[len(list)-1] != "…":
			list = append(list, "…")
		}
	}
	return list
}

// mute tells an argument that is always the same, or an address in memory.
func mute(text string) bool {
	return text == "AT_FDCWD" || text == "NULL" || text == "0" || strings.HasPrefix(text, "0x")
}
