package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

// A section is what one process does for one moment of one step.
type section struct {
	first      *trace.Event
	statements []*statement
}

// A statement is a line of the source with the calls that it made; file is "" for calls
// that no statement is known of.
type statement struct {
	first *trace.Event
	rows  []row
}

// A row is one event, or several of the Go runtime's in a row.
type row struct {
	events []*trace.Event
	again  bool // like one above, and nothing changed
}

// sections groups events by process, step and moment, as they come. Calls that are not
// of the lesson begin no section: those of several processes alternate.
func (p *page) sections() []*section {
	var all []*section
	for _, e := range p.events {
		switch e.Kind {
		case trace.Syscall, trace.Note, trace.Still:
		default:
			continue
		}
		aside := e.Kind != trace.Syscall || e.Class == trace.Bookkeeping || e.Class == trace.Runtime
		if len(all) == 0 || !aside && !sameSection(all[len(all)-1].first, e) {
			all = append(all, &section{first: e})
		}
		all[len(all)-1].add(e)
	}
	return all
}

func sameSection(a, b *trace.Event) bool {
	return a.PID == b.PID && a.Side == b.Side && a.Step == b.Step && a.Moment == b.Moment &&
		(a.Class == trace.Command) == (b.Class == trace.Command)
}

func (s *section) add(e *trace.Event) {
	var last *statement
	if len(s.statements) > 0 {
		last = s.statements[len(s.statements)-1]
	}
	another := e.Kind == trace.Syscall && e.Class != trace.Runtime && e.PID == s.first.PID &&
		last != nil && (last.first.File != e.File || last.first.Line != e.Line)
	if last == nil || another {
		last = &statement{first: e}
		s.statements = append(s.statements, last)
	}
	if n := len(last.rows); n > 0 && joins(last.rows[n-1], e) {
		last.rows[n-1].events = append(last.rows[n-1].events, e)
		return
	}
	last.rows = append(last.rows, row{events: []*trace.Event{e}, again: s.again(e)})
}

// joins tells a call of the Go runtime that follows others of the same process.
func joins(r row, e *trace.Event) bool {
	f := r.events[0]
	return e.Kind == trace.Syscall && e.Class == trace.Runtime &&
		f.Kind == trace.Syscall && f.Class == trace.Runtime && f.PID == e.PID
}

// again tells a call that only looks, whose like is above: a reader learns no more of it.
func (s *section) again(e *trace.Event) bool {
	if e.Kind != trace.Syscall || e.Class != trace.Lesson || len(e.Changes) > 0 ||
		!looks(e) || e.Errno != "" && e.Errno != "ENOENT" {
		return false
	}
	for _, st := range s.statements {
		if st.first.File != e.File || st.first.Line != e.Line {
			continue
		}
		for _, r := range st.rows {
			if r.events[0].Call == e.Call && r.events[0].Class == trace.Lesson {
				return true
			}
		}
	}
	return false
}

// looks tells the calls that only look at something, or open it to be looked at, and the
// messages of netlink that only ask.
func looks(e *trace.Event) bool {
	switch e.Call {
	case "open", "openat", "openat2", "close", "read", "pread64", "readlink", "readlinkat",
		"access", "faccessat", "faccessat2", "stat", "lstat", "fstat", "newfstatat", "statx",
		"statfs", "fstatfs", "lseek", "fcntl", "getdents64", "poll", "ppoll":
		return true
	}
	for _, d := range e.Decoded {
		for _, l := range d.Lines {
			if !strings.HasPrefix(l, "RTM_GET") && !strings.HasPrefix(l, "NFT_MSG_GET") {
				return false
			}
		}
	}
	return len(e.Decoded) > 0 && e.Refused == ""
}

// timeline is the events in order, and what the script needs to choose among them.
func (p *page) timeline() markup {
	var w writer
	all := p.sections()
	p.controls(&w, all)
	w.put("<div class=\"split\"><div class=\"list\" id=\"list\">\n")
	for _, s := range all {
		p.section(&w, s)
	}
	w.put("<p class=\"none\" hidden>No event is like that.</p></div>\n" +
		"<aside class=\"panel\" id=\"panel\" aria-label=\"The chosen event\" aria-live=\"polite\">" +
		"</aside></div>\n")
	return w.markup()
}

// controls are the filters; without a script they are not shown.
func (p *page) controls(w *writer, all []*section) {
	w.put("<form class=\"controls\" id=\"controls\" role=\"search\">" +
		"<label class=\"find\"><span>Search</span> <input type=\"search\" id=\"find\" " +
		"placeholder=\"Search: mount, cgroup, EPERM …\" autocomplete=\"off\"></label>\n")
	steps := map[int]string{}
	for _, s := range all {
		steps[s.first.Step] = stepName(s.first)
	}
	names := make([]choice, 0, len(steps))
	for n, name := range steps {
		names = append(names, choice{fmt.Sprint(n), name, true})
	}
	slices.SortFunc(names, func(a, b choice) int { return strings.Compare(a.value, b.value) })
	chooser(w, "step", "Step", names)
	chooser(w, "side", "Side", []choice{
		{"parent", "parent", true}, {"child", "child", true},
	})
	classes := []choice{
		{"lesson", "lesson", true}, {"bookkeeping", "library", false}, {"runtime", "runtime", false},
	}
	if slices.ContainsFunc(p.events, func(e *trace.Event) bool { return e.Class == trace.Command }) {
		classes = append(classes, choice{"command", "command", true})
	}
	chooser(w, "class", "Calls of", classes)
	w.put("<fieldset><legend>Show</legend><label><input type=\"checkbox\" id=\"changed\">" +
		"<span>only what changed something</span></label><label><input type=\"checkbox\" id=\"again\">" +
		"<span>repeated looks</span></label></fieldset>" +
		"<output id=\"shown\" aria-live=\"polite\"></output></form>\n")
}

// A choice is a box to tick.
type choice struct {
	value, name string
	on          bool
}

func chooser(w *writer, name, title string, choices []choice) {
	w.put("<fieldset><legend>%s</legend>", title)
	for _, c := range choices {
		checked := markup("")
		if c.on {
			checked = " checked"
		}
		w.put("<label><input type=\"checkbox\" name=\"%s\" value=\"%s\"%s><span>%s</span></label>",
			name, c.value, checked, c.name)
	}
	w.put("</fieldset>\n")
}

func stepName(e *trace.Event) string {
	if e.Step == 0 {
		return "engine"
	}
	return fmt.Sprintf("%d %s", e.Step, e.Name)
}

func (p *page) section(w *writer, s *section) {
	e := s.first
	if e.PID == 0 { // it is about no process: a scene, a word on the whole run
		w.put("<div class=\"sec whole\" data-step=\"%d\">\n", e.Step)
		p.statements(w, s)
		return
	}
	who := fmt.Sprintf("%s %d", e.Side, e.PID)
	if e.NSPID != 0 && e.NSPID != e.PID {
		who += fmt.Sprintf(" (%d inside)", e.NSPID)
	}
	w.put("<div class=\"sec %s\" data-step=\"%d\"><h3><span class=\"who\">%s</span> ",
		e.Side, e.Step, who)
	switch {
	case e.Class == trace.Command:
		w.put("<span>the command</span>")
	case e.Step == 0 && e.Name == "engine":
		w.put("<span>the engine</span>")
	case e.Step == 0:
		w.put("<span>%s</span>", e.Name)
	default:
		w.put("<span>step %d %s</span>", e.Step, e.Name)
	}
	if e.Moment != "" {
		w.put(" · <b>%s</b><small>: %s</small>", e.Moment, whenIs(e.Moment))
	}
	w.put("</h3>\n")
	p.statements(w, s)
}

func (p *page) statements(w *writer, s *section) {
	for _, st := range s.statements {
		p.statement(w, s, st)
	}
	w.put("</div>\n")
}

// whenIs says in words when a moment is (container.Step).
func whenIs(moment string) string {
	switch moment {
	case "Before":
		return "there is no child yet"
	case "Parent":
		return "the child waits"
	case "Child":
		return "under the old /"
	case "Root":
		return "a new /"
	case "Inside":
		return "under the new /"
	case "Last":
		return "only the command follows"
	case "After":
		return "the child is gone"
	}
	return ""
}

// statement is the line, the reason, and below them the calls.
func (p *page) statement(w *writer, s *section, st *statement) {
	e := st.first
	w.put("<div class=\"st\">")
	if e.File != "" && e.Kind == trace.Syscall {
		place := fmt.Sprintf("%s:%d", e.File, e.Line)
		if a := p.listing.anchor(e.File, e.Line); a != "" {
			w.put("<p class=\"at\"><a href=\"#%s\">%s</a> <code>%s</code></p>", a, place, expression(e.Code))
		} else {
			w.put("<p class=\"at\"><span>%s</span> <code>%s</code></p>", place, expression(e.Code))
		}
		if e.Why != "" {
			w.put("<p class=\"why\">%s</p>", e.Why)
		}
	}
	w.put("<ol>\n")
	for _, r := range st.rows {
		p.row(w, s, r)
	}
	w.put("</ol></div>\n")
}

// expression is the code of a statement without what Go asks for around an expression
// whose error is looked at.
func expression(code string) string {
	code = strings.TrimSuffix(code, " {")
	code = strings.TrimSuffix(code, "; err != nil")
	code = strings.TrimPrefix(code, "if ")
	code = strings.TrimPrefix(code, "return ")
	return strings.TrimPrefix(strings.TrimPrefix(code, "err := "), "err = ")
}
