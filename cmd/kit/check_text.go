//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/containerkit/kit/internal/check"
	"github.com/containerkit/kit/internal/trace/render"
	"github.com/containerkit/kit/steps"
)

// A grade is what kit check found. Its JSON is an interface: keys may be added, none is
// renamed or left out.
type grade struct {
	Version int          `json:"v"`     // 1
	Pid     int          `json:"pid"`   // of the process, 0 for a lab
	Name    string       `json:"name"`  // of kit's container, "" where it has none
	Dir     string       `json:"dir"`   // of the lab, "" for a container
	Steps   int          `json:"steps"` // the steps 1 to this one were asked for
	Points  int          `json:"points"`
	Of      int          `json:"of"`
	Items   []check.Item `json:"items"`
}

// write prints a grade as the flags ask for. The error is the exit status 1 where points
// are missing.
func (g *grade) write(o *checkOptions) error {
	g.Points, g.Of = check.Sum(g.Items)
	for i := range g.Items {
		item := &g.Items[i]
		item.Hints = append([]string{}, item.Hints[:min(len(item.Hints), o.hints)]...)
	}
	if err := g.print(o); err != nil {
		return failed(err)
	}
	if g.Points < g.Of {
		return &statusError{exit: 1}
	}
	return nil
}

func (g *grade) print(o *checkOptions) error {
	if o.asJSON {
		e := json.NewEncoder(o.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(g)
	}
	var b strings.Builder
	if g.Pid != 0 {
		fmt.Fprintf(&b, "process %d", g.Pid)
		if g.Name != "" {
			fmt.Fprintf(&b, ", container %s", g.Name)
		}
		fmt.Fprintln(&b, ", looked at from outside")
	}
	items := g.Items
	if g.Pid != 0 && g.Points == 0 {
		b.WriteString(g.mistaken(o.asked))
		if !o.asked {
			items = nil
		}
	}
	var last check.Item
	for _, item := range items {
		if item.Step != last.Step {
			fmt.Fprintf(&b, "%s%s\n", newParagraph(&b), g.heading(item.Step))
		}
		writeItem(&b, item, last)
		last = item
	}
	fmt.Fprintf(&b, "%stotal %d of %d points\n", newParagraph(&b), g.Points, g.Of)
	_, err := io.WriteString(o.out, b.String())
	return err
}

// mistaken is a word to those who have given the number of unshare(1), or of a shell, and
// not that of the process in the container. All that is missing is told where it is asked
// for.
func (g *grade) mistaken(asked bool) string {
	text := "nothing of what these steps make is to be seen in it\n"
	if children := family(g.Pid)[1:]; len(children) > 0 {
		text += fmt.Sprintf("did you mean its child? kit check %d %d\n", g.Steps, children[0])
	}
	if !asked {
		text += fmt.Sprintf("what is asked for: kit check %d %d --hints 1\n", g.Steps, g.Pid)
	}
	return text
}

// newParagraph is an empty line, unless nothing is above it.
func newParagraph(b *strings.Builder) string {
	if b.Len() == 0 {
		return ""
	}
	return "\n"
}

// heading names a step and the points that it gives.
func (g *grade) heading(step int) string {
	points, of := 0, 0
	for _, item := range g.Items {
		if item.Step == step {
			points, of = points+item.Points, of+item.Of
		}
	}
	name := ""
	if step >= 1 && step <= len(steps.All) {
		name = " " + steps.All[step-1].Name
	}
	return fmt.Sprintf("step %d%s: %d of %d points", step, name, points, of)
}

// writeItem writes the line of an item, what was found and the hints that help on, unless
// they were told just before, with the last one.
func writeItem(b *strings.Builder, item, last check.Item) {
	points := "  -"
	if item.Of > 0 {
		points = fmt.Sprintf("%d/%d", item.Points, item.Of)
	}
	fmt.Fprintf(b, "  %-5s %-13s %s\n", points, item.Name, item.What)
	if item.Got != last.Got || item.Step != last.Step {
		writeBelow(b, "", item.Got)
	}
	if slices.Equal(item.Hints, last.Hints) {
		return
	}
	for _, hint := range item.Hints {
		writeBelow(b, "hint: ", hint)
	}
}

// writeBelow writes a text under the column in which an item says what is asked for.
func writeBelow(b *strings.Builder, prefix, text string) {
	const left, width = 22, 80
	for _, line := range render.Wrap(prefix+text, width-left) {
		fmt.Fprintf(b, "%*s%s\n", left, "", line)
	}
}
