package report

import (
	"fmt"

	"github.com/containerkit/kit/internal/trace"
)

// row writes the events of a row, as an entry of the list.
func (p *page) row(w *writer, s *section, r row) {
	e := r.events[0]
	switch {
	case e.Kind == trace.Note:
		w.put("<li class=\"note\">%s</li>\n", e.Text)
	case e.Kind == trace.Still:
		w.put("<li class=\"note\">The pictures show what there is here: %s.</li>\n",
			momentTitle(e.Scene.Moment))
	case e.Class == trace.Runtime:
		p.runtime(w, s, r)
	default:
		p.call(w, s, r)
	}
}

// runtime writes calls of the Go runtime in short: their arguments teach nothing.
func (p *page) runtime(w *writer, s *section, r row) {
	e := r.events[0]
	w.put("<li class=\"e runtime %s\">%s", e.Side, otherProcess(s, e))
	for _, e := range r.events {
		w.put("<code id=\"%s\">%s", id(e.Seq), e.Call)
		if e.Errno != "" {
			w.put(" = %s", e.Errno)
		}
		w.put("</code> ")
	}
	w.put("</li>\n")
}

// call writes one call: its number, what it is called with, and below what came of it.
func (p *page) call(w *writer, s *section, r row) {
	e := r.events[0]
	w.put("<li class=\"e %s %s", e.Class, e.Side)
	if r.again {
		w.put(" again")
	}
	if len(e.Changes) > 0 {
		w.put(" ch")
	}
	if e.Errno != "" || e.Refused != "" {
		w.put(" err")
	}
	if e.Injected {
		w.put(" inj")
	}
	w.put("\" id=\"%s\" data-t=\"%d\"><a href=\"#%s\">%d</a> %s",
		id(e.Seq), e.T/1000, id(e.Seq), e.Seq, otherProcess(s, e))
	w.put("<code>%s(", e.Call)
	for i, a := range e.Args {
		if i > 0 {
			w.put(", ")
		}
		w.put("<i>%s: </i>%s", a.Name, a.Text)
	}
	w.put(")<b>%s</b></code>", result(e))
	p.consequences(w, e)
	w.put("</li>\n")
}

// otherProcess names the process where it is not the section's.
func otherProcess(s *section, e *trace.Event) markup {
	if e.PID == s.first.PID {
		return ""
	}
	return markup(fmt.Sprintf("<small>(%d)</small> ", e.PID))
}

func result(e *trace.Event) string {
	switch {
	case e.Errno != "":
		return " = " + e.Errno
	case e.Refused != "":
		return " = " + e.Refused + ", in the answer"
	case e.RetText != "":
		return " = " + e.RetText
	case e.Ret != nil:
		return fmt.Sprintf(" = %d", *e.Ret)
	}
	return " does not return"
}

// consequences are all that is known of a call beyond its arguments.
func (p *page) consequences(w *writer, e *trace.Event) {
	if !e.Injected && e.Meaning == "" && len(e.Log)+len(e.Decoded)+len(e.Changes) == 0 {
		return
	}
	w.put("<div class=\"d\">")
	if e.Injected {
		w.put("<p class=\"injected\">Injected: the kernel was not asked.</p>")
	}
	if e.Meaning != "" {
		w.put("<p class=\"meaning\">%s</p>", e.Meaning)
	}
	for _, l := range e.Log {
		w.put("<p class=\"log\">%s</p>", l)
	}
	for _, d := range e.Decoded {
		if d.What == trace.Code {
			continue // the picture of the filter has it
		}
		w.put("<ul class=\"decoded\">")
		for _, l := range d.Lines {
			w.put("<li>%s</li>", l)
		}
		w.put("</ul>")
	}
	changes(w, e.Changes)
	w.put("</div>")
}

func changes(w *writer, all []trace.Change) {
	if len(all) == 0 {
		return
	}
	w.put("<ul class=\"changes\">")
	for _, c := range all {
		switch {
		case c.After == "":
			w.put("<li class=\"went\"><span>%s</span> <del>%s</del></li>", c.What, c.Before)
		case c.Before == "":
			w.put("<li class=\"came\"><span>%s</span> <ins>%s</ins></li>", c.What, c.After)
		case c.Short != "":
			w.put("<li class=\"turned\"><span>%s</span> %s</li>", c.What, c.Short)
		default:
			w.put("<li class=\"turned\"><span>%s</span> <del>%s</del> → <ins>%s</ins></li>",
				c.What, c.Before, c.After)
		}
	}
	w.put("</ul>")
}
