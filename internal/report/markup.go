package report

import (
	"fmt"
	"html"
	"strconv"
	"strings"
	"unicode"
)

// A markup is HTML that stands for itself. Whatever comes from a record is a string,
// which is escaped where it is put.
type markup string

// A writer puts HTML together.
type writer struct{ strings.Builder }

// put writes format, a constant, with its verbs replaced: numbers and markup as they
// are, all else with what HTML understands escaped. Attributes must be in quotes.
func (w *writer) put(format string, args ...any) {
	for i, a := range args {
		switch a := a.(type) {
		case markup, bool, int, int64, uint64, float64:
		case string:
			args[i] = escape(a)
		default:
			args[i] = escape(fmt.Sprint(a))
		}
	}
	fmt.Fprintf(w, format, args...)
}

// markup is what has been put so far.
func (w *writer) markup() markup { return markup(w.String()) }

// escape makes text of what a record says: nothing in it is markup, and what is not
// printed is written as Go does in a string.
func escape(s string) string {
	if strings.IndexFunc(s, unprinted) < 0 {
		return html.EscapeString(s)
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case unprinted(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
	}
	return html.EscapeString(b.String())
}

func unprinted(r rune) bool { return !unicode.IsPrint(r) }

// cut shortens a text to n characters.
func cut(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:max(n-1, 0)]) + "…"
}

// cutFront shortens a text to n characters: the end of a path tells more.
func cutFront(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return "…" + string(runes[len(runes)-max(n-1, 0):])
}

// count is "1 mount", "2 mounts".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
