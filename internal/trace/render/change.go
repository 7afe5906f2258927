package render

import (
	"github.com/fatih/color"

	"github.com/containerkit/kit/internal/trace"
)

// manyChanges is how many changes of one call are shown without -v: an unmount
// of the old root takes all mounts below it along.
const manyChanges = 6

func (t *text) changes(all []trace.Change) {
	if t.o.Verbosity == 0 {
		all = together(all)
	}
	if t.o.Verbosity == 0 {
		all = countRules(all)
	}
	shown := all
	if t.o.Verbosity == 0 && len(all) > manyChanges+1 {
		shown = all[:manyChanges]
	}
	n := 0
	for _, c := range shown {
		for _, l := range t.change(c) {
			t.labelled("kernel", n, l)
			n++
		}
	}
	if more := len(all) - len(shown); more > 0 {
		t.labelled("kernel", n, t.p.aside.Sprintf("and %d more like these (-v)", more))
	}
}

// change tells what a call changed: what came in green, what went in red.
func (t *text) change(c trace.Change) []string {
	if c.Short != "" && t.o.Verbosity == 0 {
		return t.inShort(c)
	}
	switch {
	case c.After == "":
		return t.inOne(t.p.went, "- "+c.What, c.Before)
	case c.Before == "":
		return t.inOne(t.p.came, "+ "+c.What, c.After)
	}
	length := columns(c.What + "  " + c.Before + " → " + c.After)
	if length <= t.room() {
		return []string{c.What + "  " + t.p.went.Sprint(c.Before) + " → " + t.p.came.Sprint(c.After)}
	}
	lines := t.broken(nil, c.What, "")
	if length -= columns(c.What); length <= t.room() {
		return append(lines, "  "+t.p.went.Sprint(c.Before)+" → "+t.p.came.Sprint(c.After))
	}
	lines = append(lines, t.broken(t.p.went, c.Before, "  ")...)
	return append(lines, t.broken(t.p.came, "→ "+c.After, "  ")...)
}

// inShort tells a change whose words before and after are many.
func (t *text) inShort(c trace.Change) []string {
	switch {
	case c.After == "":
		return t.inOne(t.p.went, "- "+c.What, c.Short)
	case c.Before == "":
		return t.inOne(t.p.came, "+ "+c.What, c.Short)
	}
	return t.inOne(t.p.call, c.What, c.Short)
}

// inOne writes what came or went in one line, or its value below it.
func (t *text) inOne(style *color.Color, what, value string) []string {
	if value == "" {
		return t.broken(style, what, "")
	}
	if columns(what+"  "+value) <= t.room() {
		return []string{style.Sprint(what) + "  " + value}
	}
	return append(t.broken(style, what, ""), t.broken(nil, value, "  ")...)
}

// broken is text in lines of one style, each of them indented.
func (t *text) broken(style *color.Color, text, indent string) []string {
	lines := wrap(text, t.room()-len(indent))
	for i, l := range lines {
		if style != nil {
			l = style.Sprint(l)
		}
		lines[i] = indent + l
	}
	return lines
}
