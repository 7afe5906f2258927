package report

import (
	"fmt"
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

const leadFilter = "What the kernel was told to let through, decoded from the program that was " +
	"handed to it. It judges every later system call of the process and of its children, and " +
	"cannot be taken back."

// filters shows every filter that a call of the record has loaded.
func (p *page) filters() markup {
	var w writer
	for _, e := range p.events {
		f := filterOf(e)
		if f == nil {
			continue
		}
		if w.Len() == 0 {
			w.put("<p class=\"lead\">%s</p>\n", leadFilter)
		}
		f.put(&w, fmt.Sprintf("filter-%d", e.Seq), -1, fmt.Sprintf("loaded by process %d", e.PID))
		w.put("<p><a href=\"#%s\">The call that loaded it: event %d</a></p>\n", id(e.Seq), e.Seq)
	}
	return w.markup()
}

// filterOf draws the filter that a call has loaded, nil where it loaded none.
func filterOf(e *trace.Event) *figure {
	var lines, code []string
	for _, d := range e.Decoded {
		switch d.What {
		case trace.Filter:
			lines = d.Lines
		case trace.Code:
			code = d.Lines
		}
	}
	if len(lines) == 0 {
		return nil
	}
	d, y := &drawing{}, 0
	for _, l := range lines {
		y = d.verdict(y, l)
	}
	var w writer
	w.put("%s", list(lines))
	if len(code) > 0 {
		w.put("<details><summary>The program: %s</summary><pre>",
			count(len(code), "instruction", "instructions"))
		for _, l := range code {
			w.put("%s\n", l)
		}
		w.put("</pre></details>")
	}
	return &figure{
		title: "Seccomp filter", text: lines[0] + ".", drawing: d, table: w.markup(),
	}
}

// verdict draws a line of the summary: what is said, and a box for each call that it
// names. It returns where it ends.
func (d *drawing) verdict(y int, line string) int {
	head, names, ok := strings.Cut(line, ": ")
	if !ok || !strings.HasPrefix(head, "denies") && !strings.HasSuffix(head, "by the arguments") {
		for _, part := range fold(line, 118) {
			d.path("rule "+verdictClass(line), "M2 %dv14", y+6)
			d.text(10, y+17, "name", part)
			y += 20
		}
		return y + 10
	}
	d.path("rule "+verdictClass(head), "M2 %dv14", y+6)
	d.text(10, y+17, "name", cut(head, 110))
	y += 28
	x := 10
	for _, c := range strings.Split(names, ", ") {
		w := mono(c) + 14
		if x+w > 900 {
			x, y = 10, y+26
		}
		d.box(x, y, w, 21, "chip "+verdictClass(head))
		d.text(x+7, y+15, "mono", cut(c, 110))
		x += w + 6
	}
	return y + 36
}

func verdictClass(head string) string {
	switch {
	case strings.HasPrefix(head, "denies"), strings.HasPrefix(head, "kills"):
		return "deny"
	case strings.HasPrefix(head, "allows"):
		return "allow"
	}
	return "depends"
}
