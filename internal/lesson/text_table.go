package lesson

import (
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"
)

// table writes a table. A column that the others leave too little room is wrapped.
func (t *Text) table(b *Block, margin string) {
	rows := append([][][]Span{b.Head}, b.Rows...)
	widths := t.columns(rows, t.Width-utf8.RuneCountInString(margin))
	for i, row := range rows {
		t.row(row, widths, margin, i == 0)
		if i == 0 {
			var rule []string
			for _, w := range widths {
				rule = append(rule, strings.Repeat("─", w))
			}
			t.line(margin + strings.Join(rule, "  "))
		}
	}
}

// columns shares out the room: as much as each wants, and what is over goes from the
// widest.
func (t *Text) columns(rows [][][]Span, room int) []int {
	widths := make([]int, len(rows[0]))
	total := -2
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(PlainText(cell)))
		}
	}
	for _, w := range widths {
		total += w + 2
	}
	for ; total > room; total-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= 8 {
			break
		}
		widths[widest]--
	}
	return widths
}

// row writes a row, in as many lines as its longest cell needs.
func (t *Text) row(row [][]Span, widths []int, margin string, head bool) {
	var cells [][]string
	height := 0
	for i, cell := range row {
		var lines strings.Builder
		inner := &Text{Out: &lines, Width: widths[i], Color: t.Color}
		if head {
			inner.Color = false
		}
		inner.wrap(cell, "", "")
		cells = append(cells, strings.Split(strings.TrimRight(lines.String(), "\n"), "\n"))
		height = max(height, len(cells[i]))
	}
	for y := range height {
		line := margin
		for i, lines := range cells {
			text := ""
			if y < len(lines) {
				text = lines[y]
			}
			pad := strings.Repeat(" ", max(widths[i]-visible(text), 0)+2)
			if head {
				text = t.paint(text, color.Bold)
			}
			line += text + pad
		}
		t.line(strings.TrimRight(line, " "))
	}
}

// visible is how wide text stands, without what colours it.
func visible(text string) int {
	n := 0
	for len(text) > 0 {
		if rest, ok := strings.CutPrefix(text, "\x1b["); ok {
			_, text, _ = strings.Cut(rest, "m")
			continue
		}
		_, size := utf8.DecodeRuneInString(text)
		text, n = text[size:], n+1
	}
	return n
}
