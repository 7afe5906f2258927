// Package markdown takes the text of a lesson apart. It is not part of kit itself,
// whose processes would all pay for starting the parser: what it makes is.
package markdown

import (
	"fmt"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"github.com/containerkit/kit/internal/lesson"
)

// Parse takes apart the text of file. Of HTML it knows comments, of which "code: FILE
// SYMBOL" tells where the next block of code is from, and <details> with its <summary>.
func Parse(file string, source []byte) (*lesson.Lesson, error) {
	p := &page{source: source}
	md := goldmark.New(goldmark.WithExtensions(extension.Table))
	blocks, err := p.blocks(md.Parser().Parse(text.NewReader(source)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	l := &lesson.Lesson{File: file, Blocks: blocks}
	for _, b := range blocks {
		if b.Kind == lesson.Heading && b.Level == 1 {
			l.Title = lesson.PlainText(b.Text)
			return l, nil
		}
	}
	return nil, fmt.Errorf("%s: there is no heading of the first level", file)
}

// A page is one text.
type page struct {
	source []byte
	quotes string // what the next block of code quotes
}

// blocks reads the children of a node. What lies between <details> and its end
// becomes one block.
func (p *page) blocks(parent ast.Node) ([]lesson.Block, error) {
	open := []lesson.Block{{}} // the details that are open, the innermost last
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		last := len(open) - 1
		if h, ok := n.(*ast.HTMLBlock); ok {
			html := p.html(h)
			switch summary, isOpen := cutDetails(html); {
			case isOpen:
				spans := []lesson.Span{{Text: summary}}
				open = append(open, lesson.Block{Kind: lesson.Details, Text: spans})
			case html == "</details>" && last > 0:
				open[last-1].Blocks = append(open[last-1].Blocks, open[last])
				open = open[:last]
			case !p.comment(html):
				return nil, fmt.Errorf("HTML that is not known here: %s", html)
			}
			continue
		}
		b, err := p.block(n)
		if err != nil {
			return nil, err
		}
		open[last].Blocks = append(open[last].Blocks, b)
	}
	if len(open) > 1 {
		return nil, fmt.Errorf("<details> without its end: %s", lesson.PlainText(open[1].Text))
	}
	return open[0].Blocks, nil
}

// html is the text of a block of it.
func (p *page) html(h *ast.HTMLBlock) string {
	all := string(h.Lines().Value(p.source))
	if h.HasClosure() {
		all += string(h.ClosureLine.Value(p.source))
	}
	return strings.TrimSpace(all)
}

// cutDetails returns the summary where a block of HTML opens details.
func cutDetails(html string) (summary string, ok bool) {
	rest, ok := strings.CutPrefix(html, "<details>")
	if !ok {
		return "", false
	}
	rest, ok = strings.CutPrefix(strings.TrimSpace(rest), "<summary>")
	summary, closed := strings.CutSuffix(rest, "</summary>")
	return summary, ok && closed && !strings.Contains(summary, "<")
}

// comment understands a comment, and tells whether it was one.
func (p *page) comment(html string) bool {
	rest, begun := strings.CutPrefix(html, "<!--")
	inner, ended := strings.CutSuffix(rest, "-->")
	if !begun || !ended {
		return false
	}
	inner = strings.TrimSpace(inner)
	if quotes, ok := strings.CutPrefix(inner, "code: "); ok {
		p.quotes = quotes
	}
	return true
}

func (p *page) block(n ast.Node) (b lesson.Block, err error) {
	switch n := n.(type) {
	case *ast.Heading:
		b = lesson.Block{Kind: lesson.Heading, Level: n.Level}
		b.Text, err = p.spans(n)
	case *ast.Paragraph, *ast.TextBlock:
		b = lesson.Block{Kind: lesson.Paragraph}
		b.Text, err = p.spans(n)
	case *ast.List:
		b = lesson.Block{Kind: lesson.List, Ordered: n.IsOrdered()}
		b.Blocks, err = p.blocks(n)
	case *ast.ListItem:
		b = lesson.Block{Kind: lesson.Item}
		b.Blocks, err = p.blocks(n)
	case *ast.Blockquote:
		b = lesson.Block{Kind: lesson.Quote}
		b.Blocks, err = p.blocks(n)
	case *ast.FencedCodeBlock:
		b = p.code(n)
	case *ast.ThematicBreak:
		b = lesson.Block{Kind: lesson.Rule}
	case *east.Table:
		return p.table(n)
	default:
		err = fmt.Errorf("%s is not known here", n.Kind())
	}
	return b, err
}

func (p *page) code(n *ast.FencedCodeBlock) lesson.Block {
	b := lesson.Block{Kind: lesson.Code, Code: string(n.Lines().Value(p.source)), Source: p.quotes}
	p.quotes = ""
	if n.Info != nil {
		info := string(n.Info.Value(p.source))
		b.Lang, b.Info, _ = strings.Cut(strings.TrimSpace(info), " ")
	}
	return b
}

func (p *page) table(n *east.Table) (lesson.Block, error) {
	b := lesson.Block{Kind: lesson.Table}
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		var cells [][]lesson.Span
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			spans, err := p.spans(cell)
			if err != nil {
				return b, err
			}
			cells = append(cells, spans)
		}
		if row.Kind() == east.KindTableHeader {
			b.Head = cells
		} else {
			b.Rows = append(b.Rows, cells)
		}
	}
	return b, nil
}
