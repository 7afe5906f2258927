package render

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/containerkit/kit/internal/trace"
)

// clean returns the event with nothing in it that a terminal would obey: a
// record may be somebody else's, and names in the kernel may hold any byte.
func clean(e *trace.Event) *trace.Event {
	c := *e
	for _, s := range []*string{
		&c.Kernel, &c.Cgroup, (*string)(&c.Side), &c.Name, &c.Moment, &c.File, &c.Code, &c.Why,
		&c.Call, &c.RetText, &c.Errno, &c.Meaning, &c.Refused, &c.Text,
	} {
		*s = printable(*s)
	}
	c.Argv, c.Args, c.Changes = slices.Clone(c.Argv), slices.Clone(c.Args), slices.Clone(c.Changes)
	for i := range c.Argv {
		c.Argv[i] = printable(c.Argv[i])
	}
	for i := range c.Args {
		c.Args[i].Name, c.Args[i].Text = printable(c.Args[i].Name), printable(c.Args[i].Text)
	}
	for i, h := range c.Changes {
		c.Changes[i] = trace.Change{
			What: printable(h.What), Before: printable(h.Before), After: printable(h.After),
			Short: printable(h.Short),
		}
	}
	c.Log, c.Hints = slices.Clone(c.Log), slices.Clone(c.Hints)
	for _, list := range [][]string{c.Log, c.Hints} {
		for i := range list {
			list[i] = printable(list[i])
		}
	}
	lines := strings.Split(c.Error, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	c.Error = strings.Join(lines, "\n")
	c.Decoded = slices.Clone(c.Decoded)
	for i, d := range c.Decoded {
		d.Lines = slices.Clone(d.Lines)
		for j := range d.Lines {
			d.Lines[j] = printable(d.Lines[j])
		}
		c.Decoded[i] = d
	}
	return &c
}

// printable writes what is not printed as Go does in a string, and the end of a
// line as a space.
func printable(s string) string {
	if strings.IndexFunc(s, unprinted) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case unprinted(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unprinted(r rune) bool { return !unicode.IsPrint(r) }

// shellWords writes the words of an argument vector as one would type them into
// a shell, each with a space behind it.
func shellWords(argv []string) []string {
	words := make([]string, len(argv))
	for i, w := range argv {
		if w == "" || strings.ContainsFunc(w, special) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		words[i] = w + " "
	}
	return words
}

// special tells the characters that a shell might not leave alone.
func special(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("@%_-+=:,./", r)
}
