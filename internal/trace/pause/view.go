package pause

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/containerkit/kit/internal/inspect"
	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/internal/trace/render"
)

const (
	otherScreen = "\x1b[?1049h\x1b[H\x1b[2J"
	thisScreen  = "\x1b[?1049l"
)

// view shows lines, from the one with the number top on, for as long as the reader
// wants. It returns the key that has ended it. With ends, one that turns the last page
// does.
func (d *Dialog) view(title string, lines []string, top int, ends bool) key {
	if d.o.Dumb {
		d.print("\n" + strings.Join(lines, "\n") + "\n")
		return ""
	}
	d.print(otherScreen)
	defer d.print(thisScreen)
	for {
		columns, rows := d.screen.Size()
		page := max(rows-1, 1)
		top = max(min(top, len(lines)-page), 0)
		shown := lines[top:min(top+page, len(lines))]
		more := " all "
		if len(lines) > page {
			more = fmt.Sprintf(" lines %d-%d of %d  Space, PgUp ", top+1, top+len(shown), len(lines))
		}
		bar := d.paint.bar.Sprint(render.Cut(" "+title+" │"+more+" q back ", columns-1))
		d.print("\x1b[H\x1b[2J" + strings.Join(cutLines(shown, columns), "\r\n") +
			fmt.Sprintf("\x1b[%d;1H", rows) + bar)
		k, err := d.key()
		if err != nil {
			d.failed = err // for whoever asked for the view
			return ""
		}
		switch k {
		case " ", "pgdn":
			if ends && top+page >= len(lines) {
				return k
			}
			top += page - 1
		case "down", "j":
			top++
		case "pgup":
			top -= page - 1
		case "up", "k":
			top--
		case "redraw", ctrlL:
		case ctrlZ:
			d.say = "Ctrl-Z: not from here"
			return k
		case ctrlC, ctrlBackslash:
			d.keys = append([]key{k}, d.keys...)
			return k
		default:
			return k
		}
	}
}

func cutLines(lines []string, columns int) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = cutPainted(l, columns)
	}
	return out
}

// viewSource shows the whole function around the statement.
func (d *Dialog) viewSource() {
	e := d.now
	lines, first := d.sources.Around(e.File, e.Line)
	if len(lines) == 0 {
		d.say = "there is no source"
		return
	}
	columns, rows := d.screen.Size()
	var out []string
	for i, l := range lines {
		out = append(out, d.codeLine(l, first+i, first+i == e.Line, columns))
	}
	d.view(e.File, out, e.Line-first-rows/2, false)
}

// viewState shows all that makes the process one of a container, or not.
func (d *Dialog) viewState() {
	r, err := inspect.Process(d.now.PID)
	if err != nil {
		d.say = err.Error()
		return
	}
	var text strings.Builder
	_ = r.WriteText(&text)
	title := fmt.Sprintf("kit inspect %d", d.now.PID)
	d.view(title, strings.Split(strings.TrimRight(text.String(), "\n"), "\n"), 0, false)
}

// viewPast shows what has happened, call by call.
func (d *Dialog) viewPast() {
	if len(d.past) == 0 {
		d.say = "nothing has happened yet"
		return
	}
	i := len(d.past) - 1
	for {
		title := fmt.Sprintf("%d before this, b further back", len(d.past)-i)
		switch d.view(title, d.pastLines(d.past[i]), 0, true) {
		case "b", "left":
			i = max(i-1, 0)
		case "enter", "n", "right", " ", "pgdn":
			if i++; i == len(d.past) {
				return
			}
		default:
			return
		}
		if d.o.Dumb {
			return
		}
	}
}

func (d *Dialog) pastLines(e *trace.Event) []string {
	var text bytes.Buffer
	columns, _ := d.screen.Size()
	_ = render.NewText(&text, render.TextOptions{Width: columns, Color: d.o.Color}).Event(e)
	return strings.Split(strings.Trim(text.String(), "\n"), "\n")
}

// help says what the keys are for.
func help(columns int) []string {
	lines := render.Wrap("The process has stopped before a kernel call. What you see in another "+
		"terminal now is how things are before it.", columns)
	for _, row := range [][2]string{
		{},
		{"Enter n Space", "make the call, show what it has changed, stop before the next"},
		{"m", "go on to the next moment of a step"},
		{"r", "run on, and stop no more"},
		{"q Ctrl-C", "quit: the command does not run, and what has been made for it is " +
			"removed; exit status 130"},
		{},
		{"s", "the whole function in the source"},
		{"d", "the state of the process, as kit inspect shows it"},
		{"b", "what has happened before, call by call"},
		{"Ctrl-Z", "back to the shell; fg brings kit back"},
		{},
		{"call", "its number is the one for --pause=N"},
		{"why", "the comment above the statement in the source"},
		{"changes", "the state that the call is about to change, as it is now"},
		{"look", "commands for another terminal, to see it there"},
		{},
		{"", "PgDn and PgUp, the keys of a presenter, are Enter and b."},
	} {
		text := render.Wrap(row[1], max(columns-helpWidth, 20))
		for i, l := range text {
			lines = append(lines, strings.TrimRight(fmt.Sprintf("  %-*s%s", helpWidth-2, row[0], l), " "))
			if i == 0 {
				row[0] = ""
			}
		}
	}
	return lines
}

// helpWidth is how far the texts of the help are indented.
const helpWidth = 17
