package report

import (
	"fmt"

	"github.com/containerkit/kit/internal/trace/scene"
)

// A figure is a picture and the same in words: a sentence or two, and a table or list
// that has all of the picture's values.
type figure struct {
	title, text string
	drawing     *drawing
	table       markup
}

// pictures are the views that are drawn from the record's scenes, one figure for each
// moment, and the filter, which its call tells of.
func (p *page) pictures() []view {
	kinds := []struct {
		id, name, lead string
		draw           func(all []*scene.Scene, at int) *figure
	}{
		{"processes", "Processes", leadProcesses, drawProcesses},
		{"mounts", "Mounts", leadMounts, drawMounts},
		{"cgroups", "Cgroups", leadCgroups, drawCgroups},
		{"network", "Network", leadNetwork, drawNetworks},
		{"capabilities", "Capabilities", leadCapabilities, drawCapabilities},
	}
	views := make([]view, 0, len(kinds)+1)
	for _, k := range kinds {
		var w writer
		w.put("<p class=\"lead\">%s</p>\n", k.lead)
		drawn := false
		for i, s := range p.scenes {
			if f := k.draw(p.scenes, i); f != nil {
				f.put(&w, fmt.Sprintf("%s-%d", k.id, i), i, momentTitle(s.Moment))
				drawn = true
			}
		}
		v := view{id: k.id, name: k.name}
		if drawn {
			p.unseen(&w)
			v.content = w.markup()
		}
		views = append(views, v)
	}
	return append(views, view{"filter", "Filter", p.filters()})
}

// unseen tells what of the scenes could not be looked at.
func (p *page) unseen(w *writer) {
	for _, s := range p.scenes {
		for _, e := range s.Errors {
			w.put("<p class=\"unseen\">%s, not seen: %s</p>\n", momentTitle(s.Moment), e)
		}
	}
}

// put writes the figure; moment is its scene's number, -1 where it belongs to none.
func (f *figure) put(w *writer, id string, moment int, when string) {
	w.put("<figure id=\"%s\"", id)
	if moment >= 0 {
		w.put(" data-moment=\"%d\"", moment)
	}
	w.put("><figcaption><h3>%s</h3><p>%s</p></figcaption>\n", when, f.text)
	w.put("<div class=\"picture\" tabindex=\"0\" role=\"group\" aria-label=\"%s\">%s</div>\n",
		f.title, f.drawing.markup(id, f.title, f.text))
	w.put("<details class=\"words\"><summary>The same in words</summary>\n"+
		"<div class=\"wide\" tabindex=\"0\">%s</div></details></figure>\n", f.table)
}

// A drawing is an SVG picture in the making. Its unit is the pixel, of a page that is
// not scaled; colours and fonts come from the page's style, by class.
type drawing struct {
	writer
	width, height int
}

// charWidth is the width of a character in the pictures, in pixels; of a font that is not
// of fixed width, about that of a wide one.
const charWidth = 7.25

// mono is how wide a text is in the fixed-width font.
func mono(s string) int { return int(float64(len([]rune(s)))*charWidth + 0.5) }

// text writes a line of text whose baseline is at y.
func (d *drawing) text(x, y int, class, s string) {
	d.put("<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>", x, y, class, s)
	d.grow(x+mono(s), y+6)
}

// box draws a rectangle.
func (d *drawing) box(x, y, w, h int, class string) {
	d.put("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\" class=\"%s\"/>",
		x, y, w, h, class)
	d.grow(x+w+1, y+h+1)
}

// path draws lines, in the words of SVG: "M0 0V10H5".
func (d *drawing) path(class, format string, args ...any) {
	d.put("<path class=\"%s\" d=\"%s\"/>", class, fmt.Sprintf(format, args...))
}

// grow makes the picture large enough for a point.
func (d *drawing) grow(x, y int) { d.width, d.height = max(d.width, x), max(d.height, y) }

func (d *drawing) markup(id, title, text string) markup {
	var w writer
	w.put("<svg role=\"img\" aria-labelledby=\"%s-t %s-d\" width=\"%d\" height=\"%d\" "+
		"viewBox=\"0 0 %d %d\"><title id=\"%s-t\">%s</title><desc id=\"%s-d\">%s</desc>%s</svg>",
		id, id, d.width+1, d.height+1, d.width+1, d.height+1, id, title, id, text, d.writer.markup())
	return w.markup()
}

// A table is rows of text, the first of them the head; the first cell of each names it.
type table [][]string

func (t table) markup() markup {
	var w writer
	w.put("<table>")
	for i, cells := range t {
		w.put("<tr>")
		for j, c := range cells {
			switch {
			case i == 0:
				w.put("<th scope=\"col\">%s</th>", c)
			case j == 0:
				w.put("<th scope=\"row\">%s</th>", c)
			default:
				w.put("<td>%s</td>", c)
			}
		}
		w.put("</tr>\n")
	}
	w.put("</table>")
	return w.markup()
}

// list is a list of lines.
func list(lines []string) markup {
	var w writer
	w.put("<ul>")
	for _, l := range lines {
		w.put("<li>%s</li>", l)
	}
	w.put("</ul>")
	return w.markup()
}

// sceneOf returns the scene of a moment, nil where there is none.
func sceneOf(all []*scene.Scene, m scene.Moment) *scene.Scene {
	for _, s := range all {
		if s.Moment == m {
			return s
		}
	}
	return nil
}

// named is what a process is called in the pictures.
func named(p scene.Process) string {
	if p.Report == nil {
		return p.Role
	}
	return fmt.Sprintf("%s %d", p.Role, p.Pid)
}
