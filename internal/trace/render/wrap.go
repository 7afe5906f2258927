package render

import (
	"strings"
	"unicode/utf8"
)

// wrap breaks text into lines of at most width columns, at spaces. A word that
// is longer stands alone.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// join puts pieces one after the other, in lines of at most width columns, and
// breaks only between pieces. Spaces at a break are dropped, and a line that
// goes on is indented by one more.
func join(pieces []string, width int) []string {
	var lines []string
	line := ""
	for _, p := range pieces {
		if line != "" && utf8.RuneCountInString(line)+utf8.RuneCountInString(strings.TrimRight(p, " ")) > width {
			lines = append(lines, strings.TrimRight(line, " "))
			line, p = " ", strings.TrimLeft(p, " ")
		}
		line += p
	}
	return append(lines, strings.TrimRight(line, " "))
}

// cut shortens text to width columns, and shows that it did.
func cut(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:max(width-1, 0)]) + "…"
}
