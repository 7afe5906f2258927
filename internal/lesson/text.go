package lesson

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"
)

// Text writes lessons for a terminal.
type Text struct {
	Out    io.Writer
	Width  int  // columns
	Color  bool // colour and bold
	Unfold bool // show also what is folded
	// Show, where there is one, is given the sessions; they are written otherwise.
	Show func(*Session) error

	err error // the first
}

// Write writes a lesson, and returns the first error.
func (t *Text) Write(l *Lesson) error {
	t.blocks(l.Blocks, "")
	return t.err
}

// blocks writes blocks behind a margin, with an empty line between.
func (t *Text) blocks(blocks []Block, margin string) {
	for i := range blocks {
		if i > 0 {
			t.line(strings.TrimRight(margin, " "))
		}
		t.block(&blocks[i], margin)
	}
}

func (t *Text) block(b *Block, margin string) {
	if t.err != nil {
		return // nobody reads any more
	}
	switch b.Kind {
	case Heading:
		t.heading(b, margin)
	case Paragraph:
		t.wrap(b.Text, margin, margin)
	case List:
		t.list(b, margin)
	case Quote:
		t.blocks(b.Blocks, margin+"│ ")
	case Code:
		t.code(b, margin)
	case Table:
		t.table(b, margin)
	case Details:
		t.details(b, margin)
	case Rule:
		t.line(margin + strings.Repeat("─", max(0, t.Width-utf8.RuneCountInString(margin))))
	}
}

func (t *Text) heading(b *Block, margin string) {
	text := PlainText(b.Text)
	t.line(margin + t.paint(text, color.Bold))
	if b.Level <= 2 {
		under := map[int]string{1: "═", 2: "─"}[b.Level]
		t.line(margin + strings.Repeat(under, utf8.RuneCountInString(text)))
	}
}

func (t *Text) list(b *Block, margin string) {
	tight := true
	for _, item := range b.Blocks {
		tight = tight && len(item.Blocks) == 1
	}
	for i, item := range b.Blocks {
		if i > 0 && !tight {
			t.line(strings.TrimRight(margin, " "))
		}
		bullet := "• "
		if b.Ordered {
			bullet = fmt.Sprintf("%d. ", i+1)
		}
		t.item(item.Blocks, margin, bullet)
	}
}

// item writes the blocks of an item, the first behind its bullet.
func (t *Text) item(blocks []Block, margin, bullet string) {
	rest := margin + strings.Repeat(" ", utf8.RuneCountInString(bullet))
	if len(blocks) > 0 && blocks[0].Kind == Paragraph {
		t.wrap(blocks[0].Text, margin+bullet, rest)
		blocks = blocks[1:]
		if len(blocks) > 0 && blocks[0].Kind != List {
			t.line("")
		}
	} else {
		t.line(margin + bullet)
	}
	t.blocks(blocks, rest)
}

func (t *Text) code(b *Block, margin string) {
	if b.Lang == "console" && t.Show != nil {
		s, err := b.Session()
		if err == nil {
			err = t.Show(s)
		}
		t.fail(err)
		return
	}
	if b.Source != "" {
		t.line(margin + "    " + t.paint(b.Source, color.Faint))
	}
	for line := range strings.Lines(b.Code) {
		line = strings.ReplaceAll(strings.TrimRight(line, "\n"), "\t", "    ")
		if b.Lang == "console" {
			line = t.typed(line)
		}
		t.line(strings.TrimRight(margin+"    "+line, " "))
	}
}

// typed makes what the reader types stand out.
func (t *Text) typed(line string) string {
	m := prompt().FindStringSubmatch(line)
	if m == nil {
		return line
	}
	return t.paint(m[1], color.Faint) + " " + t.paint(m[2], color.Bold)
}

func (t *Text) details(b *Block, margin string) {
	summary := PlainText(b.Text)
	if !t.Unfold {
		t.line(margin + "▸ " + t.paint(summary, color.Underline) + t.paint("  (--all)", color.Faint))
		return
	}
	t.line(margin + "▾ " + t.paint(summary, color.Underline))
	t.line("")
	t.blocks(b.Blocks, margin+"  ")
}

// wrap writes text in lines, the first behind one margin and the others behind
// another.
func (t *Text) wrap(spans []Span, first, rest string) {
	line, width := first, utf8.RuneCountInString(first)
	empty := true
	for _, w := range words(spans) {
		n := utf8.RuneCountInString(w.text())
		if !empty && width+1+n > t.Width {
			t.line(line)
			line, width, empty = rest, utf8.RuneCountInString(rest), true
		}
		if !empty {
			line, width = line+" ", width+1
		}
		line, width, empty = line+t.word(w), width+n, false
	}
	t.line(line)
}

// A word is what stays in one line: spans without a blank, but for literals.
type word []Span

func (w word) text() string { return PlainText(w) }

// words cuts text at its blanks.
func words(spans []Span) []word {
	var list []word
	open := false // the last word goes on
	for _, s := range spans {
		for i, part := range strings.Split(s.Text, " ") {
			if i > 0 {
				open = false
			}
			if part == "" {
				continue
			}
			piece := Span{Text: part, Style: s.Style, Link: s.Link}
			if open {
				list[len(list)-1] = append(list[len(list)-1], piece)
			} else {
				list = append(list, word{piece})
			}
			open = true
		}
	}
	return list
}

// word paints a word's pieces.
func (t *Text) word(w word) string {
	var out strings.Builder
	for _, s := range w {
		switch {
		case s.Link != "":
			out.WriteString(t.paint(s.Text, color.Underline))
		case s.Style == Literal:
			out.WriteString(t.paint(s.Text, color.FgCyan))
		case s.Style == Emphasis:
			out.WriteString(t.paint(s.Text, color.Italic))
		case s.Style == Strong:
			out.WriteString(t.paint(s.Text, color.Bold))
		default:
			out.WriteString(s.Text)
		}
	}
	return out.String()
}

func (t *Text) paint(text string, attributes ...color.Attribute) string {
	c := color.New(attributes...)
	if t.Color {
		c.EnableColor()
	} else {
		c.DisableColor()
	}
	return c.Sprint(text)
}

func (t *Text) line(text string) {
	if t.err == nil {
		_, err := fmt.Fprintln(t.Out, text)
		t.fail(err)
	}
}

func (t *Text) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}
