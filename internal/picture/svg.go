// Package picture draws what a terminal shows as an SVG image, for the pages.
package picture

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"strings"
	"unicode/utf8"
)

// The measures of the picture, in pixels. A glyph of the font is 0.6 em wide.
const (
	fontSize   = 13
	glyph      = 7.8
	lineHeight = 18
	margin     = 16
	titleBar   = 34
)

// SVG writes the picture of a terminal: its title, and text with ANSI colours
// (ECMA-48, SGR). The text stays text: it can be selected and searched, and is
// read aloud where the picture cannot be seen.
func SVG(w io.Writer, title string, ansi []byte) error {
	lines := strings.Split(strings.TrimRight(string(ansi), "\n"), "\n")
	columns := utf8.RuneCountInString(title)
	for _, l := range lines {
		columns = max(columns, utf8.RuneCountInString(plain(l)))
	}
	width := int(float64(columns)*glyph) + 2*margin
	height := titleBar + len(lines)*lineHeight + margin
	var b bytes.Buffer
	fmt.Fprintf(&b, header, width, height, width, height, html.EscapeString(title),
		width, height, width/2, html.EscapeString(title), fontSize)
	for i, l := range lines {
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\">%s</text>\n",
			margin, titleBar+(i+1)*lineHeight-4, spans(l))
	}
	b.WriteString("</g>\n</svg>\n")
	_, err := w.Write(b.Bytes())
	return err
}

// header is the frame: a dark window, which stands out on light and dark pages.
const header = `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" ` +
	`viewBox="0 0 %d %d" role="img" aria-labelledby="title">
<title id="title">%s: a trace in a terminal</title>
<style>
text{fill:#d7dae0;white-space:pre}
.b{font-weight:bold}.f{fill:#8b93a1}.u{text-decoration:underline}
.c31{fill:#ff7b72}.c32{fill:#7ee787}.c34{fill:#79c0ff}.c35{fill:#d2a8ff}.c36{fill:#76e3ea}
</style>
<rect width="%d" height="%d" rx="8" fill="#0d1117" stroke="#484f58"/>
<g fill="#6e7681"><circle cx="20" cy="18" r="5"/><circle cx="38" cy="18" r="5"/>` +
	`<circle cx="56" cy="18" r="5"/></g>
<text x="%d" y="22" text-anchor="middle" font-family="monospace" font-size="12" class="f">%s</text>
<g font-family="ui-monospace,Menlo,Consolas,monospace" font-size="%d" xml:space="preserve">
`

// spans turns the colours of a line into tspan elements.
func spans(line string) string {
	var b strings.Builder
	class := ""
	for line != "" {
		text, rest, found := strings.Cut(line, "\x1b[")
		if text != "" && class != "" {
			fmt.Fprintf(&b, "<tspan class=\"%s\">%s</tspan>", class, html.EscapeString(text))
		} else {
			b.WriteString(html.EscapeString(text))
		}
		if !found {
			break
		}
		codes, after, _ := strings.Cut(rest, "m")
		class, line = classes(codes), after
	}
	return b.String()
}

// classes gives the style of a list of SGR codes. Codes that are not known,
// resets among them, are the plain style.
func classes(codes string) string {
	var list []string
	for _, c := range strings.Split(codes, ";") {
		switch c {
		case "1":
			list = append(list, "b")
		case "2":
			list = append(list, "f")
		case "4":
			list = append(list, "u")
		case "31", "32", "34", "35", "36":
			list = append(list, "c"+c)
		}
	}
	return strings.Join(list, " ")
}

// plain is a line without its colours.
func plain(line string) string {
	var b strings.Builder
	for {
		text, rest, found := strings.Cut(line, "\x1b[")
		b.WriteString(text)
		if !found {
			return b.String()
		}
		_, line, _ = strings.Cut(rest, "m")
	}
}
