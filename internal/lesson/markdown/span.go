package markdown

import (
	"fmt"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/util"

	"github.com/containerkit/kit/internal/lesson"
)

// spans reads the text of a node. A line break in the source is a blank.
func (p *page) spans(parent ast.Node) ([]lesson.Span, error) {
	var spans []lesson.Span
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		more, err := p.span(n)
		if err != nil {
			return nil, err
		}
		spans = append(spans, more...)
	}
	return join(spans), nil
}

func (p *page) span(n ast.Node) ([]lesson.Span, error) {
	switch n := n.(type) {
	case *ast.Text:
		text := string(n.Segment.Value(p.source))
		if n.SoftLineBreak() || n.HardLineBreak() {
			text += " "
		}
		return []lesson.Span{{Text: unescape(text)}}, nil
	case *ast.String:
		return []lesson.Span{{Text: string(n.Value)}}, nil
	case *ast.CodeSpan:
		var text strings.Builder
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			text.Write(c.(*ast.Text).Segment.Value(p.source))
		}
		literal := strings.ReplaceAll(text.String(), "\n", " ")
		return []lesson.Span{{Text: literal, Style: lesson.Literal}}, nil
	case *ast.Emphasis:
		style := lesson.Emphasis
		if n.Level > 1 {
			style = lesson.Strong
		}
		return p.styled(n, func(s *lesson.Span) { s.Style = style })
	case *ast.Link:
		return p.styled(n, func(s *lesson.Span) { s.Link = string(n.Destination) })
	case *ast.AutoLink:
		url := string(n.URL(p.source))
		return []lesson.Span{{Text: url, Link: url}}, nil
	}
	return nil, fmt.Errorf("%s is not known here", n.Kind())
}

// styled reads the text of a node and changes each span of it that has no style yet.
func (p *page) styled(n ast.Node, change func(*lesson.Span)) ([]lesson.Span, error) {
	spans, err := p.spans(n)
	for i := range spans {
		change(&spans[i])
	}
	return spans, err
}

// unescape takes away the backslash before punctuation, and reads &lt; and the like.
func unescape(text string) string {
	return string(util.ResolveEntityNames(util.UnescapePunctuations([]byte(text))))
}

// join makes one span of neighbours that look the same.
func join(spans []lesson.Span) []lesson.Span {
	var out []lesson.Span
	for _, s := range spans {
		if n := len(out) - 1; n >= 0 && out[n].Style == s.Style && out[n].Link == s.Link {
			out[n].Text += s.Text
			continue
		}
		out = append(out, s)
	}
	return out
}
