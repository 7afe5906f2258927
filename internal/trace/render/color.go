package render

import (
	"fmt"
	"os"
	"strconv"

	"github.com/fatih/color"
	"golang.org/x/term"

	"github.com/containerkit/kit/internal/trace"
)

// ColorFor tells whether what is written to f is to be coloured, by the value
// of --color: auto, always or never. auto means a terminal, unless NO_COLOR is
// set (no-color.org).
func ColorFor(mode string, f *os.File) (bool, error) {
	switch mode {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
		return os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(f.Fd())), nil
	}
	return false, fmt.Errorf("--color %s: not one of auto, always, never", mode)
}

// WidthFor returns how many columns a line on f may have: those that the variable
// COLUMNS gives, else those of the terminal, 80 where f is none, and never more than
// can be read with ease.
func WidthFor(f *os.File) int {
	width, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || width < narrowest {
		width, _, err = term.GetSize(int(f.Fd()))
	}
	if err != nil || width < narrowest {
		return 80
	}
	return min(width, 120)
}

// palette is what colours mean. They are of the eight that every terminal has, and
// read on dark and on light: so no blue, cyan, yellow or white, and grey only as the
// terminal's own text made faint.
type palette struct {
	parent, child     *color.Color // who speaks
	place, code, call *color.Color
	came, went, fail  *color.Color
	aside             *color.Color // not part of the lesson
}

// label is the colour of the word that stands before a part. What changed and what
// failed are to be seen at a glance.
func (p *palette) label(word string) *color.Color {
	switch word {
	case "kernel", "now", "command":
		return p.call
	case "error", "inject", "log":
		return p.fail
	}
	return p.aside
}

func newPalette(on bool) *palette {
	p := &palette{
		parent: color.New(color.Bold),
		child:  color.New(color.FgMagenta, color.Bold),
		place:  color.New(color.Underline),
		code:   color.New(color.Faint),
		call:   color.New(color.Bold),
		came:   color.New(color.FgGreen),
		went:   color.New(color.FgRed),
		fail:   color.New(color.FgRed, color.Bold),
		aside:  color.New(color.Faint),
	}
	for _, c := range []*color.Color{
		p.parent, p.child, p.place, p.code, p.call, p.came, p.went, p.fail, p.aside,
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
func (p *palette) side(s trace.Side) *color.Color {
	if s == trace.Child {
		return p.child
	}
	return p.parent
}
