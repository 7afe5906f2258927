package render

import (
	"strings"
	"unicode/utf8"
)

// wrap breaks text into lines of at most width columns, at spaces; inside a word
// only where it is longer than a line.
func wrap(text string, width int) []string {
	var units []string
	for _, word := range strings.Fields(text) {
		units = append(units, word+" ")
	}
	return layOut(units, width, "")
}

// fill puts units one after the other, in lines of at most width columns. It
// breaks between units, and inside one only where it is longer than a line. A
// line that goes on is indented.
func fill(units []string, width int) []string {
	return layOut(units, width, "  ")
}

func layOut(units []string, width int, indent string) []string {
	l := layout{width: width, indent: indent, empty: true}
	for _, u := range units {
		if l.add(u) {
			continue
		}
		if !l.empty {
			l.flush()
		}
		for _, p := range pieces(u, width-len(indent)) {
			l.force(p)
		}
	}
	return append(l.lines, strings.TrimRight(l.line, " "))
}

// A layout is lines of at most width columns, the last of them unfinished.
type layout struct {
	width  int
	indent string
	lines  []string
	line   string
	empty  bool // but for the indent
}

// add puts text into the line, if there is room for it.
func (l *layout) add(text string) bool {
	if columns(l.line)+columns(strings.TrimRight(text, " ")) > l.width {
		return false
	}
	l.line, l.empty = l.line+text, false
	return true
}

func (l *layout) flush() {
	l.lines = append(l.lines, strings.TrimRight(l.line, " "))
	l.line, l.empty = l.indent, true
}

// force puts text into the line or the next. What fits into no line fills this
// one first, unless there is room for next to nothing.
func (l *layout) force(text string) {
	for !l.add(text) {
		room := l.width - columns(l.line)
		if columns(text) > l.width-len(l.indent) && (l.empty || room >= 8) {
			runes := []rune(text)
			l.line, text = l.line+string(runes[:room]), string(runes[room:])
		}
		l.flush()
	}
}

// pieces cuts a unit that fits into no line where it is best broken: behind the
// spaces and bars that are not quoted.
func pieces(unit string, width int) []string {
	if columns(strings.TrimRight(unit, " ")) <= width {
		return []string{unit}
	}
	var list []string
	start, quoted, escaped := 0, false, false
	for i, r := range unit {
		if !quoted && (r == '|' || r == ' ' && unit[start:i] != "=") {
			list, start = append(list, unit[start:i+1]), i+1
		}
		if r == '"' && !escaped {
			quoted = !quoted
		}
		escaped = quoted && r == '\\' && !escaped
	}
	return append(list, unit[start:])
}

// cut shortens text to width columns, and shows that it did.
func cut(text string, width int) string {
	if columns(text) <= width {
		return text
	}
	return string([]rune(text)[:max(width-1, 0)]) + "…"
}

// columns is how wide text stands in a terminal, as long as it is written in
// one of the narrow scripts.
func columns(text string) int { return utf8.RuneCountInString(text) }
