// Package site writes lessons as a small set of pages that need no server, and no
// network.
package site

import (
	"fmt"
	"html"
	"strings"

	"github.com/containerkit/kit/internal/lesson"
)

// A body is the HTML of a lesson's blocks.
type body struct{ strings.Builder }

func (o *body) put(format string, args ...any) { fmt.Fprintf(o, format, args...) }

func (o *body) blocks(blocks []lesson.Block) {
	for i := range blocks {
		o.block(&blocks[i])
	}
}

func (o *body) block(b *lesson.Block) {
	switch b.Kind {
	case lesson.Heading:
		text := lesson.PlainText(b.Text)
		o.put("<h%d id=%q>%s</h%d>\n", b.Level, Anchor(text), spans(b.Text), b.Level)
	case lesson.Paragraph:
		o.put("<p>%s</p>\n", spans(b.Text))
	case lesson.List:
		o.list(b)
	case lesson.Quote:
		o.put("<blockquote>\n")
		o.blocks(b.Blocks)
		o.put("</blockquote>\n")
	case lesson.Code:
		o.code(b)
	case lesson.Table:
		o.table(b)
	case lesson.Details:
		o.put("<details><summary>%s</summary>\n", spans(b.Text))
		o.blocks(b.Blocks)
		o.put("</details>\n")
	case lesson.Rule:
		o.put("<hr>\n")
	}
}

func (o *body) list(b *lesson.Block) {
	tag := "ul"
	if b.Ordered {
		tag = "ol"
	}
	o.put("<%s>\n", tag)
	for _, item := range b.Blocks {
		o.put("<li>")
		if len(item.Blocks) == 1 && item.Blocks[0].Kind == lesson.Paragraph {
			o.put("%s", spans(item.Blocks[0].Text))
		} else {
			o.blocks(item.Blocks)
		}
		o.put("</li>\n")
	}
	o.put("</%s>\n", tag)
}

// code writes code; in a session what is typed stands out from what comes.
func (o *body) code(b *lesson.Block) {
	if b.Source != "" {
		file, symbol, _ := strings.Cut(b.Source, " ")
		o.put("<p class=source>%s in <code>%s</code></p>\n",
			html.EscapeString(symbol), html.EscapeString(file))
	}
	// Who scrolls with the keyboard must be able to get there.
	o.put("<pre class=%q tabindex=0>", b.Lang)
	defer o.put("</pre>\n")
	s, err := b.Session()
	if b.Lang != "console" || err != nil {
		o.put("%s", html.EscapeString(b.Code))
		return
	}
	for _, c := range s.Commands {
		line := html.EscapeString(strings.ReplaceAll(c.Line, "\n", "\n> "))
		o.put("<span class=prompt>%s</span> <kbd>%s</kbd>\n", html.EscapeString(c.Prompt), line)
		for _, text := range c.Output {
			o.put("%s\n", html.EscapeString(text))
		}
	}
}

func (o *body) table(b *lesson.Block) {
	o.put("<div class=wide><table>\n<thead>")
	o.row("th", b.Head)
	o.put("</thead>\n<tbody>\n")
	for _, row := range b.Rows {
		o.row("td", row)
	}
	o.put("</tbody></table></div>\n")
}

func (o *body) row(tag string, cells [][]lesson.Span) {
	o.put("<tr>")
	for _, cell := range cells {
		o.put("<%s>%s</%s>", tag, spans(cell), tag)
	}
	o.put("</tr>\n")
}

// tags are the elements of the styles.
var tags = map[lesson.Style]string{
	lesson.Literal: "code", lesson.Emphasis: "em", lesson.Strong: "strong",
}

// spans writes text. A link to another lesson leads to its page.
func spans(list []lesson.Span) string {
	var out strings.Builder
	for _, s := range list {
		text := html.EscapeString(s.Text)
		if tag := tags[s.Style]; tag != "" {
			text = "<" + tag + ">" + text + "</" + tag + ">"
		}
		if s.Link != "" {
			text = fmt.Sprintf("<a href=\"%s\">%s</a>", html.EscapeString(target(s.Link)), text)
		}
		out.WriteString(text)
	}
	return out.String()
}

// target is where a link leads: what is no lesson is in the repository.
func target(link string) string {
	if strings.Contains(link, "://") || strings.HasPrefix(link, "#") {
		return link
	}
	file, place, _ := strings.Cut(link, "#")
	if place != "" {
		place = "#" + place
	}
	if name, ok := strings.CutSuffix(file, ".md"); ok && len(name) > 2 && name[2] == '-' {
		return name + ".html" + place
	}
	return repository + "lessons/" + link
}

const repository = "https://github.com/containerkit/kit/blob/main/"

// Anchor is the name of a heading in the address of its page, as GitHub has it.
func Anchor(text string) string {
	var out strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			out.WriteRune(r)
		case r == ' ' || r == '-':
			out.WriteByte('-')
		}
	}
	return out.String()
}
