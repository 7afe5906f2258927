//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/containerkit/kit/internal/attack"
	"github.com/containerkit/kit/internal/trace/render"
	"github.com/containerkit/kit/steps"
)

// A matrix is what all attacks came to in all places.
type matrix struct {
	Version int           `json:"v"`
	Root    bool          `json:"root"`   // made as root of the machine
	Places  []string      `json:"places"` // host, steps by number, other runtimes
	Attacks []matrixEntry `json:"attacks"`
}

type matrixEntry struct {
	Name    string                    `json:"name"`
	Tries   string                    `json:"tries"`
	Why     string                    `json:"why"`
	Results map[string]attack.Outcome `json:"results"` // by place

	Evidence *attack.Evidence `json:"evidence,omitempty"`

	attack *attack.Attack
}

// show makes the attacks and prints what came of them.
func (o *attackOptions) show(cmd *cobra.Command, list []*attack.Attack, places []string) error {
	m := &matrix{Version: 1, Root: os.Geteuid() == 0, Places: append(places, o.with...)}
	plan := attack.Plan{Places: m.Places, Trace: len(list) == 1 || o.format != "text"}
	at := make(map[string]int)
	for i, a := range list {
		at[a.Name] = i
		plan.Attacks = append(plan.Attacks, a.Name)
		m.Attacks = append(m.Attacks, matrixEntry{
			Name: a.Name, Tries: a.Tries, Why: a.Why, attack: a,
			Results: make(map[string]attack.Outcome),
		})
	}
	told := progress(len(list) * len(m.Places))
	err := makeAttacks(plan, func(r attack.Result) {
		told(r)
		e := &m.Attacks[at[r.Attack]]
		e.Results[r.Place] = r.Outcome
		if r.Evidence != nil {
			e.Evidence = r.Evidence
		}
	})
	told(attack.Result{})
	if err != nil {
		return failed(fmt.Errorf("attack: %w", err))
	}
	out := cmd.OutOrStdout()
	switch {
	case o.format == "json":
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return failed(e.Encode(m))
	case o.format == "html":
		return failed(m.writeHTML(out))
	case len(list) == 1:
		return failed(m.writeOne(out))
	case o.matrix:
		return failed(m.writeText(out))
	}
	return failed(m.writeStep(out))
}

// progress tells a terminal how far the attacks have come, on a line that goes away
// with the last call.
func progress(all int) func(attack.Result) {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return func(attack.Result) {}
	}
	n := 0
	return func(r attack.Result) {
		n++
		text := ""
		if r.Attack != "" {
			text = fmt.Sprintf("%d of %d: %s, %s", n, all, r.Attack, placeName(r.Place))
		}
		fmt.Fprintf(os.Stderr, "\r%-70s\r%s", "", text)
	}
}

func listAttacks(out io.Writer) error {
	var b strings.Builder
	for _, a := range attack.All() {
		fmt.Fprintf(&b, "%-14s  %-40s  %s\n", a.Name, a.Tries, stopName(a.Stop))
	}
	b.WriteString("\nkit attack NAME makes one on every step, kit attack N all on step N, and\n" +
		"kit attack --matrix all on all.\n")
	_, err := io.WriteString(out, b.String())
	return err
}

// stopName is where an attack is meant to end.
func stopName(step int) string {
	if step == 0 {
		return "is not stopped"
	}
	return "until step " + strconv.Itoa(step)
}

// placeName is how a place is called in a sentence.
func placeName(place string) string {
	if n, err := strconv.Atoi(place); err == nil {
		return "step " + place + " " + steps.All[n-1].Name
	}
	return place
}

// outcomeText is what an outcome says of itself.
func outcomeText(o attack.Outcome) string {
	if o.State == attack.Works {
		return o.Saw
	}
	return o.Call
}

// writeOne explains one attack.
func (m *matrix) writeOne(out io.Writer) error {
	var b strings.Builder
	e := m.Attacks[0]
	fmt.Fprintf(&b, "%s: %s\n\n", e.Name, e.Tries)
	for _, place := range m.Places {
		o := e.Results[place]
		head := fmt.Sprintf("  %-20s  %-8s  ", placeName(place), o.State)
		b.WriteString(head + wrap(outcomeText(o), 80-len(head), strings.Repeat(" ", len(head))) + "\n")
	}
	b.WriteString("\n" + wrap(e.Why, 80, "") + "\n")
	if ev := e.Evidence; ev != nil {
		fmt.Fprintf(&b, "\nThe call that stops it, from a trace of step %d:\n\n", ev.Step)
		fmt.Fprintf(&b, "  %s:%d\n  %s\n  %s\n", ev.File, ev.Line, wrap(ev.Call, 76, "    "),
			wrap(ev.Why, 78, "  "))
		if ev.Tried != "" {
			fmt.Fprintf(&b, "\nand the attack's own, as observed:\n\n  %s\n", wrap(ev.Tried, 76, "    "))
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// writeStep tells what all attacks came to at one step.
func (m *matrix) writeStep(out io.Writer) error {
	var b strings.Builder
	for i, place := range m.Places[1:] {
		if i > 0 {
			b.WriteString("\n")
		}
		count := 0
		fmt.Fprintf(&b, "%s\n\n", placeName(place))
		for _, e := range m.Attacks {
			o := e.Results[place]
			if o.State == attack.Works {
				count++
			}
			head := fmt.Sprintf("  %-14s  %-7s  ", e.Name, o.State)
			b.WriteString(head + wrap(outcomeText(o), 80-len(head), strings.Repeat(" ", len(head))) + "\n")
		}
		fmt.Fprintf(&b, "\n%d of %d work\n", count, len(m.Attacks))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// mark is an outcome in one character.
func mark(o attack.Outcome) string {
	switch o.State {
	case attack.Works:
		return "X"
	case attack.Stopped:
		return "."
	}
	return "-"
}

// writeText is the table of attacks and steps, and, where more is asked for than 80
// columns hold, a second one.
func (m *matrix) writeText(out io.Writer) error {
	var b strings.Builder
	own := slices.DeleteFunc(slices.Clone(m.Places), func(p string) bool {
		return slices.Contains(attack.Runtimes(), p)
	})
	m.writeTable(&b, own)
	if others := m.Places[len(own):]; len(others) > 0 {
		b.WriteString("\n")
		m.writeTable(&b, append([]string{own[len(own)-1]}, others...))
	}
	b.WriteString("\nX works   . stopped   - not run: kit attack NAME says why\n")
	for n, s := range steps.All {
		fmt.Fprintf(&b, "%d %s  ", n+1, s.Name)
	}
	b.WriteString("\n" + m.reasons())
	text := strings.ReplaceAll(b.String(), "  \n", "\n")
	_, err := io.WriteString(out, text)
	return err
}

func (m *matrix) writeTable(b *strings.Builder, places []string) {
	room := 80 - 14
	for _, place := range places {
		room -= len(place) + 2
	}
	tries := 0
	for _, e := range m.Attacks {
		tries = max(tries, len(e.Tries)+2)
	}
	if room < tries {
		tries = 0
	}
	line := func(name, text string, cell func(place string) string) {
		fmt.Fprintf(b, "%-14s%-*.*s", name, tries, tries, "  "+text)
		for _, place := range places {
			fmt.Fprintf(b, "  %*s", len(place), cell(place))
		}
		b.WriteString("\n")
	}
	line("", "", func(place string) string { return place })
	for _, e := range m.Attacks {
		line(e.Name, e.Tries, func(place string) string { return mark(e.Results[place]) })
	}
}

// reasons are why something was not run at all in a place, or nowhere.
func (m *matrix) reasons() string {
	var all []string
	for _, e := range m.Attacks {
		for _, place := range m.Places {
			o := e.Results[place]
			if o.State == attack.NotRun && !slices.Contains(all, o.Call) {
				all = append(all, o.Call)
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	for i, reason := range all {
		all[i] = "  " + wrap(reason, 76, "    ")
		if !m.Root && strings.HasPrefix(reason, "cgroups: ") {
			all[i] += "\n    hint: systemd-run --user --scope -p Delegate=yes kit attack ..."
		}
	}
	return "\nNot run:\n" + strings.Join(all, "\n") + "\n"
}

// wrap breaks text into lines of at most width columns; lines but the first begin with
// indent.
func wrap(text string, width int, indent string) string {
	return strings.Join(render.Wrap(text, width), "\n"+indent)
}
