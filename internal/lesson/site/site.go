package site

import (
	_ "embed"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerkit/kit/internal/lesson"
)

//go:embed style.css
var style string

// A Page is a link to a page that lies beside those of the lessons, such as a report.
type Page struct{ File, Title string }

// Write writes the lessons into a directory, which must be there: index.html, and a
// page for each, by the number of the lesson with the pages that belong to it.
func Write(dir string, lessons []lesson.Lesson, more map[int][]Page) error {
	for n := range lessons {
		page := write(lessons, n, more[lessons[n].Number()])
		if err := put(dir, name(&lessons[n]), page); err != nil {
			return err
		}
	}
	return put(dir, "index.html", index(lessons, more))
}

func put(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
}

// name is the file of a lesson's page.
func name(l *lesson.Lesson) string { return strings.TrimSuffix(l.File, ".md") + ".html" }

// write is the page of a lesson, with the way to its neighbours.
func write(lessons []lesson.Lesson, n int, more []Page) string {
	var o body
	o.head(lessons[n].Title)
	o.way(lessons, n)
	o.put("<main>\n")
	o.blocks(lessons[n].Blocks)
	if len(more) > 0 {
		o.put("<h2 id=trace>The trace as a page</h2>\n<ul>\n")
		o.links(more)
		o.put("</ul>\n")
	}
	o.put("</main>\n")
	o.way(lessons, n)
	o.put("</body>\n</html>\n")
	return o.String()
}

// index is the first page: all lessons.
func index(lessons []lesson.Lesson, more map[int][]Page) string {
	var o body
	o.head("kit: Linux containers, step by step")
	o.put("<main>\n<h1>Linux containers, step by step</h1>\n<ol class=lessons>\n")
	for n := range lessons {
		title := html.EscapeString(short(lessons[n].Title))
		pages := more[lessons[n].Number()]
		o.put("<li value=%d><a href=%q>%s</a>", lessons[n].Number(), name(&lessons[n]), title)
		if question := question(lessons[n].Blocks); question != nil {
			o.put("<br>%s", spans(question))
		}
		if len(pages) > 0 {
			o.put("<ul>")
			o.links(pages)
			o.put("</ul>")
		}
		o.put("</li>\n")
	}
	o.put("</ol>\n</main>\n</body>\n</html>\n")
	return o.String()
}

// question is what a lesson asks in its first paragraph, which is quoted.
func question(blocks []lesson.Block) []lesson.Span {
	for _, b := range blocks {
		if b.Kind == lesson.Quote && len(b.Blocks) > 0 && len(b.Blocks[0].Text) > 1 {
			return b.Blocks[0].Text[1:] // without the words "The question"
		}
	}
	return nil
}

func (o *body) links(pages []Page) {
	for _, p := range pages {
		o.put("<li><a href=%q>%s</a></li>\n", p.File, html.EscapeString(p.Title))
	}
}

func (o *body) head(title string) {
	o.put("<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"+
		"<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"+
		"<title>%s</title>\n<style>\n%s</style>\n</head>\n<body>\n", html.EscapeString(title), style)
}

// way leads to the lesson before and after, and to all.
func (o *body) way(lessons []lesson.Lesson, n int) {
	o.put("<nav>")
	for _, link := range []struct {
		n         int
		rel, mark string
	}{{n - 1, "prev", "←"}, {n + 1, "next", "→"}} {
		if link.n >= 0 && link.n < len(lessons) {
			l := &lessons[link.n]
			o.put("<a href=%q rel=%s>%s %s</a> ", name(l), link.rel, link.mark,
				html.EscapeString(l.Title))
		}
	}
	o.put("<a href=index.html>all lessons</a></nav>\n")
}

// short is a title without the number that stands before it.
func short(title string) string {
	if _, rest, ok := strings.Cut(title, " · "); ok {
		return rest
	}
	return title
}

// ReportName is the file of the trace's report of a step.
func ReportName(step int) string { return fmt.Sprintf("step-%d.html", step) }
