package report

import (
	"crypto/sha256"
	_ "embed" // the page's style and script
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/internal/trace/scene"
)

var (
	//go:embed assets/page.css
	style string
	//go:embed assets/page.js
	script string
)

// A page is a record on its way to HTML.
type page struct {
	writer
	begin, end *trace.Event // nil where the record has none
	events     []*trace.Event
	scenes     []*scene.Scene
	left       int
	listing    *listing
}

func newPage(r *Report) *page {
	p := &page{events: r.events, left: r.left, listing: newListing(r)}
	for _, e := range r.events {
		switch {
		case e.Kind == trace.Begin:
			p.begin = e
		case e.Kind == trace.End:
			p.end = e
		case e.Kind == trace.Still && e.Scene != nil:
			p.scenes = append(p.scenes, e.Scene)
		}
	}
	p.write()
	return p
}

// A view is a part of the page that a tab leads to.
type view struct {
	id, name string
	content  markup
}

func (p *page) write() {
	views := []view{{"timeline", "Timeline", p.timeline()}}
	for _, v := range p.pictures() {
		if v.content != "" {
			views = append(views, v)
		}
	}
	views = append(views, view{"source", "Source", p.listing.markup()})
	p.head()
	p.header()
	p.nav(views)
	p.put("<main>")
	for _, v := range views {
		p.put("\n<section id=\"%s\" class=\"view\" aria-label=\"%s\"><h2>%s</h2>\n%s</section>\n",
			v.id, v.name, v.name, v.content)
	}
	p.put("</main>\n")
	p.help()
	p.put("<script>%s</script>\n</body>\n</html>\n", markup(script))
}

// head allows nothing but this page's own style and script, whatever else a record may
// have brought into it.
func (p *page) head() {
	p.put(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; `+
		`form-action 'none'; style-src '%s'; script-src '%s'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>%s</title>
<style>%s</style>
</head>
<body>
`, markup(hash(style)), markup(hash(script)), p.title(), markup(style))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (p *page) title() string {
	if p.begin == nil {
		return "kit: a trace"
	}
	words := shellWords(p.begin.Argv)
	return cut("kit"+strings.TrimPrefix(words, firstWord(words)), 120)
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}

// header is what there is to know of the run as a whole.
func (p *page) header() {
	p.put("<header>\n<p class=\"kit\">kit · every kernel call that makes a container</p>\n")
	if p.begin != nil {
		p.put("<h1><code>%s</code></h1>\n", shellWords(p.begin.Argv))
		p.put("<ul class=\"facts\"><li>Linux %s</li><li>cgroup %s</li><li>%s</li>",
			p.begin.Kernel, p.begin.Cgroup, who(p.begin))
	} else {
		p.put("<h1>A trace without its beginning</h1>\n<ul class=\"facts\">")
	}
	p.outcome()
	p.put("</ul>\n")
	if p.end != nil && p.end.Error != "" {
		p.put("<p class=\"failed\">%s</p>\n", p.end.Error)
		for _, h := range p.end.Hints {
			p.put("<p class=\"hint\">hint: %s</p>\n", h)
		}
	}
	p.put("</header>\n")
}

func who(begin *trace.Event) string {
	if begin.Rootless != nil && *begin.Rootless {
		return "without root"
	}
	return "as root"
}

func (p *page) outcome() {
	if p.end == nil {
		p.put("<li class=\"bad\">the record is cut off: there is no end</li>")
		return
	}
	if p.end.Exit != nil {
		class := "good"
		if *p.end.Exit != 0 {
			class = "bad"
		}
		p.put("<li class=\"%s\">exit status %d</li>", class, *p.end.Exit)
	}
	n := p.end.Syscalls
	p.put("<li>%s of the lesson, %d of the Go library, %d of its runtime",
		count(n[trace.Lesson], "call", "calls"), n[trace.Bookkeeping], n[trace.Runtime])
	if n[trace.Command] > 0 {
		p.put(", %d of the command", n[trace.Command])
	}
	if p.left > 0 {
		p.put(" (%d of them are not on this page)", p.left)
	}
	p.put("</li>")
}

func (p *page) nav(views []view) {
	p.put("<nav aria-label=\"Views\"><ol>")
	for i, v := range views {
		p.put("<li><a href=\"#%s\"><kbd>%d</kbd>%s</a></li>", v.id, i+1, v.name)
	}
	p.put("</ol><div class=\"tools\"><div class=\"moments\" role=\"group\" aria-label=\"Moment\">")
	if len(p.scenes) > 1 {
		for i, s := range p.scenes {
			p.put("<button type=\"button\" data-moment=\"%d\" title=\"%s\" "+
				"aria-pressed=\"%t\">%s</button>",
				i, momentTitle(s.Moment), i == p.mainScene(), string(s.Moment))
		}
	}
	p.put("</div><button type=\"button\" id=\"theme\" aria-label=\"Light or dark\">◐</button>" +
		"<button type=\"button\" id=\"ask\" aria-label=\"Keys\">?</button></div></nav>\n")
}

// mainScene is the one that is shown first: what the command finds.
func (p *page) mainScene() int {
	for i, s := range p.scenes {
		if s.Moment == scene.Run {
			return i
		}
	}
	return len(p.scenes) - 1
}

// momentTitle tells when a picture was taken.
func momentTitle(m scene.Moment) string {
	switch m {
	case scene.Before:
		return "before the first call"
	case scene.Run:
		return "as the command begins"
	case scene.After:
		return "when all has been cleaned up"
	}
	return string(m)
}

func (p *page) help() {
	p.put("<dialog id=\"help\" aria-label=\"Keys\"><h2>Keys</h2><dl>")
	for _, k := range [][2]string{
		{"j ↓", "next event"},
		{"k ↑", "previous event"},
		{"g G", "first, last event"},
		{"/", "search"},
		{"c", "only what changed something"},
		{"1 … 9", "timeline, pictures, source"},
		{"[ ]", "moment of the pictures: earlier, later"},
		{"t", "light or dark"},
		{"Esc", "close, leave the search"},
	} {
		p.put("<dt><kbd>%s</kbd></dt><dd>%s</dd>", k[0], k[1])
	}
	p.put("</dl><p>An event's address, such as <code>#e17</code>, can be sent to others.</p>" +
		"<form method=\"dialog\"><button>Close</button></form></dialog>\n")
}

// shellWords writes an argument vector as one would type it into a shell.
func shellWords(argv []string) string {
	words := make([]string, len(argv))
	for i, w := range argv {
		if w == "" || strings.ContainsFunc(w, func(r rune) bool {
			return r > 0x7e || r <= ' ' || strings.ContainsRune("'\"\\`$&|;<>()*?[]{}~#!", r)
		}) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		words[i] = w
	}
	return strings.Join(words, " ")
}

// id is how the events of a page are named in addresses.
func id(seq int) markup { return markup(fmt.Sprintf("e%d", seq)) }
