package pause

import (
	"fmt"
	"strings"

	"github.com/fatih/color"

	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/internal/trace/render"
)

// paint is what colours mean, as in the trace: of the eight that every terminal has.
type paint struct {
	parent, child, place, label, here, call, bar, fail *color.Color
}

func newPaint(on bool) *paint {
	p := &paint{
		parent: color.New(color.FgBlue, color.Bold),
		child:  color.New(color.FgMagenta, color.Bold),
		place:  color.New(color.Underline),
		label:  color.New(color.Faint),
		here:   color.New(color.Bold),
		call:   color.New(color.Bold),
		bar:    color.New(color.ReverseVideo),
		fail:   color.New(color.FgRed, color.Bold),
	}
	for _, c := range []*color.Color{
		p.parent, p.child, p.place, p.label, p.here, p.call, p.bar, p.fail,
	} {
		if on {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
	}
	return p
}

// side is the colour of the parent or the child.
func (p *paint) side(s trace.Side) *color.Color {
	if s == trace.Child {
		return p.child
	}
	return p.parent
}

// labelWidth is how far what stands behind a label is indented.
const labelWidth = 10

// A panel is laid out for a window. Its parts are lines without their label.
type panel struct {
	heading, place                   string
	code                             []string
	why, call, message, change, look []string
}

// draw puts the panel under what is on the screen, and the keys into the bottom line.
func (d *Dialog) draw() {
	columns, rows := d.screen.Size()
	d.columns = columns
	d.drawn = append(d.lines(columns, rows), d.bar(columns))
	text := strings.Join(d.drawn, "\n")
	d.print("\r" + text)
	d.say = ""
}

// erase takes it off again.
func (d *Dialog) erase() {
	if d.o.Dumb {
		d.print("\n")
		return
	}
	columns, rows := d.screen.Size()
	up := -1
	for _, l := range d.drawn {
		// A window that has become narrower has broken the lines.
		up += max(1, (width(l)+columns-1)/columns)
	}
	if up = min(up, rows-1); up > 0 {
		d.print(fmt.Sprintf("\x1b[%dA", up))
	}
	d.print("\r\x1b[J")
	d.drawn = nil
}

func (d *Dialog) redraw() {
	if d.drawn != nil {
		d.erase()
	}
	d.draw()
}

// width is how many columns a line has, colours apart.
func width(line string) int {
	n, escape := 0, false
	for _, r := range line {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm'
		default:
			n++
		}
	}
	return n
}

// lines are those of the panel, as many as fit above the bottom line.
func (d *Dialog) lines(columns, rows int) []string {
	p := d.panel(columns)
	p.fit(rows - 1)
	p.addCode(d, columns, max(1, min(rows-1-p.height(), 7+max(0, rows-24)/2, rows-2-p.height())))
	list := []string{p.heading}
	if p.height()+len(p.code) < rows-1 {
		list = []string{"", p.heading} // away from what has been printed before
	}
	if p.place != "" {
		list = append(append(list, p.place), p.code...)
	}
	list = append(list, d.labelled("why", p.why)...)
	call := d.labelled("call", p.call)
	if len(call) > 0 {
		call[0] = strings.Replace(call[0], d.now.Call, d.paint.call.Sprint(d.now.Call), 1)
	}
	list = append(list, call...)
	list = append(list, d.labelled("message", p.message)...)
	list = append(list, d.labelled("changes", p.change)...)
	list = append(list, d.labelled("look", p.look)...)
	return list[:min(len(list), max(rows-1, 1))]
}

func (d *Dialog) labelled(label string, lines []string) []string {
	var out []string
	for _, l := range lines {
		out = append(out, "  "+d.paint.label.Sprintf("%-*s", labelWidth-2, label)+l)
		label = ""
	}
	return out
}

// panel lays the parts out, all but the code.
func (d *Dialog) panel(columns int) *panel {
	e := d.now
	room := max(columns-labelWidth, 20)
	p := &panel{why: nil, call: render.Call(e.Event, room)}
	title := render.Cut(fmt.Sprintf("── call %d ─ %s", d.number, render.Title(e.Event)), columns-1)
	rule := strings.Repeat("─", max(columns-1-width(title), 0))
	p.heading = d.paint.side(e.Side).Sprint(title) + " " + d.paint.label.Sprint(rule)
	if e.File != "" {
		place := fmt.Sprintf("%s:%d", e.File, e.Line)
		p.place = d.paint.place.Sprint(render.Cut(place, columns))
		if in := "  in " + e.Func; e.Func != "" && width(place)+width(in) <= columns {
			p.place += d.paint.label.Sprint(in)
		}
	}
	if e.Why != "" {
		p.why = render.Wrap(e.Why, room)
	}
	for _, decoded := range e.Decoded {
		for _, l := range decoded.Lines {
			p.message = append(p.message, render.Cut(l, room))
		}
	}
	for _, l := range e.about() {
		p.change = append(p.change, render.Wrap(l, room)...)
	}
	for i, l := range e.look() {
		if i == 0 && width(l)+len(elsewhere) <= room {
			l += d.paint.label.Sprint(elsewhere)
		}
		p.look = append(p.look, cutPainted(l, room))
	}
	return p
}

const elsewhere = "   (in another terminal)"

// cutPainted cuts a line that is only painted where it is short.
func cutPainted(line string, room int) string {
	if width(line) <= room {
		return line
	}
	return render.Cut(line, room)
}

func (p *panel) height() int {
	n := 1 + len(p.why) + len(p.call) + len(p.message) + len(p.change) + len(p.look)
	if p.place != "" {
		n++
	}
	return n
}

// fit shortens the parts until there is room for some of the code too.
func (p *panel) fit(rows int) {
	for _, most := range []int{6, 4, 3, 2, 1} {
		for _, part := range []*[]string{&p.message, &p.call, &p.change, &p.why, &p.look} {
			if p.height()+min(most, 3) <= rows {
				return
			}
			if len(*part) > most {
				*part = (*part)[:most:most]
				(*part)[most-1] = shortened((*part)[most-1])
			}
		}
	}
}

// addCode adds the source around the statement. The comment above it is not repeated: it
// is the reason, and given as that.
func (p *panel) addCode(d *Dialog, columns, rows int) {
	e := d.now
	lines, first := d.sources.Around(e.File, e.Line)
	at := e.Line - first
	if e.File == "" || at < 0 || at >= len(lines) {
		return
	}
	top := at
	for e.Why != "" && top > 0 && strings.HasPrefix(strings.TrimSpace(lines[top-1]), "//") {
		top--
	}
	above := min((rows-1)/2, top)
	below := min(rows-1-above, len(lines)-1-at)
	above = min(rows-1-below, top)
	for i := top - above; i <= at+below; i++ {
		if i >= top && i < at {
			continue
		}
		p.code = append(p.code, d.codeLine(lines[i], first+i, i == at, columns))
	}
}

// codeLine is a line of source with its number, marked where it is the one.
func (d *Dialog) codeLine(line string, number int, here bool, columns int) string {
	line = strings.ReplaceAll(line, "\t", "    ")
	if here {
		return d.paint.here.Sprint(render.Cut(fmt.Sprintf("▶ %4d  %s", number, line), columns))
	}
	return d.paint.label.Sprint(render.Cut(fmt.Sprintf("  %4d  %s", number, line), columns))
}

// bar is the bottom line: the keys there are.
func (d *Dialog) bar(columns int) string {
	for _, keys := range []string{
		" Enter next  s source  d state  m next moment  b back  r run on  q quit  ? help ",
		" Enter next  s source  d state  m moment  b back  r run  q quit  ? help ",
		" Enter  s d m b r  q quit  ? help ",
		" Enter s d m b r q ? ",
	} {
		if d.say != "" {
			keys = " " + d.say + " │" + keys
		}
		if width(keys) < columns {
			return d.paint.bar.Sprint(keys)
		}
	}
	return render.Cut("? help "+d.say, columns-1)
}

// shortened is the last line of a part that goes on.
func shortened(line string) string {
	if runes := []rune(line); len(runes) > 1 && runes[len(runes)-1] != 'm' {
		return strings.TrimRight(string(runes[:len(runes)-1]), " ") + "…"
	}
	return line
}
