package report

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

// A listing is the text of the source files that a record's events name.
type listing struct {
	paths []string       // in the order in which they are first met
	ids   map[string]int // by path
	lines map[string]map[int]bool
	texts map[string]string
}

func newListing(r *Report) *listing {
	l := &listing{ids: map[string]int{}, lines: map[string]map[int]bool{}, texts: map[string]string{}}
	for _, e := range r.events {
		if e.File != "" && (e.Class == trace.Lesson || e.Class == trace.Bookkeeping) {
			l.add(r.sources, e)
		}
	}
	return l
}

func (l *listing) add(sources fs.FS, e *trace.Event) {
	if l.lines[e.File] == nil {
		l.lines[e.File] = map[int]bool{}
		if text, err := fs.ReadFile(sources, e.File); err == nil {
			l.texts[e.File] = string(text)
			l.ids[e.File] = len(l.paths) + 1
			l.paths = append(l.paths, e.File)
		}
	}
	l.lines[e.File][e.Line] = true
}

// anchor is the address of a line, "" where there is no text of its file.
func (l *listing) anchor(file string, line int) markup {
	if l.ids[file] == 0 {
		return ""
	}
	return markup(fmt.Sprintf("s%d-%d", l.ids[file], line))
}

// markup is the files one below the other, the steps' first; lines that made a call are
// marked.
func (l *listing) markup() markup {
	var w writer
	w.put("<p class=\"lead\">The files that made the calls. What is marked has been executed.</p>\n")
	paths := slices.Clone(l.paths)
	slices.SortStableFunc(paths, func(a, b string) int {
		return strings.Compare(b[:1]+a, a[:1]+b) // steps before internal
	})
	w.put("<ol class=\"files\">")
	for _, path := range paths {
		w.put("<li><a href=\"#s%d\">%s</a></li>", l.ids[path], path)
	}
	w.put("</ol>\n")
	for _, path := range paths {
		l.file(&w, path)
	}
	return w.markup()
}

func (l *listing) file(w *writer, path string) {
	lines := strings.Split(strings.TrimSuffix(l.texts[path], "\n"), "\n")
	w.put("<article class=\"file\" id=\"s%d\" data-path=\"%s\"><h3>%s</h3><div class=\"text\">",
		l.ids[path], path, path)
	w.put("<pre class=\"numbers\" aria-hidden=\"true\">")
	for i := range lines {
		w.WriteString(strconv.Itoa(i+1) + "\n")
	}
	w.put("</pre><pre class=\"code\" tabindex=\"0\">")
	comment := false
	for i, line := range lines {
		is := strings.HasPrefix(strings.TrimSpace(line), "//")
		if is != comment {
			w.put("%s", markup(map[bool]string{true: "<i>", false: "</i>"}[is]))
			comment = is
		}
		if l.lines[path][i+1] {
			w.put("<b id=\"s%d-%d\">%s</b>\n", l.ids[path], i+1, line)
			continue
		}
		w.put("%s\n", line)
	}
	if comment {
		w.put("</i>")
	}
	w.put("</pre></div></article>\n")
}
