//go:build linux

package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

// A page is all that was measured.
type page struct {
	Machine, Versions string
	Rounds, Settled   int
	Settle            time.Duration
	Failed            []error // what could not be measured
	Starts            []*start
	Missing           string // tools that are not here
	Launch            *launch
	Record            *record
	First             *first
	Costs             []cost
	Growth            []size
}

//go:embed speed.md.tmpl
var text string

func (p *page) write(dir string) error {
	numbers := template.FuncMap{
		"ms":     func(x float64) string { return fmt.Sprintf("%.1f", x) },
		"fine":   func(x float64) string { return fmt.Sprintf("%.2f", x) },
		"micros": func(x float64) string { return fmt.Sprintf("%.1f", x*1000) },
		"ratio":  func(a, b spread) string { return fmt.Sprintf("%.2f", a.Middle/b.Middle) },
		"place":  measured,
	}
	t, err := template.New("speed.md").Funcs(numbers).Parse(text)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "speed.svg"), []byte(p.plot()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "speed.md"), b.Bytes(), 0o644)
}

func measured(x float64) string {
	switch {
	case x < 0:
		return "missing here"
	case x < 100:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// A goal is what kit wants to be in comparison.
type goal struct {
	One, Other *start
	Goal       float64 // at most that many times as long, hot
}

// Met says in a word what became of it.
func (g goal) Met() string {
	if g.One.HotSpread().Middle <= g.Goal*g.Other.HotSpread().Middle {
		return "yes"
	}
	return "no"
}

// Goals are those of which both sides have worked.
func (p *page) Goals() (list []goal) {
	for _, g := range []struct {
		one, other string
		goal       float64
	}{
		{"kit step 2", "bubblewrap", 1.3},
		{"kit step 6", "crun", 1.5},
		{"kit step 6, bridge there", "crun", 1.5},
		{"kit step 6, --net=none", "crun", 1.5},
		{"kit step 6", "runc", 0.5},
		{"kit step 6, bridge there", "runc", 0.5},
		{"kit step 6, --net=none", "runc", 0.5},
		{"kit step 6, traced", "strace -f kit step 6", 1},
	} {
		if one, other := p.row(g.one), p.row(g.other); one != nil && other != nil {
			list = append(list, goal{one, other, g.goal})
		}
	}
	return list
}

// Floor is what all are compared with.
func (p *page) Floor() spread { return p.Starts[0].HotSpread() }

// row is that of a start that has worked, or nil.
func (p *page) row(name string) *start {
	for _, s := range p.Starts {
		if s.Name == name && s.Worked() {
			return s
		}
	}
	return nil
}

// A rest is what remains of an untraced step 6 without what is known, in milliseconds.
type rest struct{ All, Launches, Calls, Rest float64 }

// Rest is nil where not all of it was measured, or measured too roughly to be subtracted.
func (p *page) Rest() *rest {
	s := p.row("kit step 6")
	if s == nil || p.Launch == nil || p.Record == nil {
		return nil
	}
	r := &rest{
		All: s.HotSpread().Middle, Launches: 2 * p.Launch.kit.Middle, Calls: p.Record.Sum(),
	}
	if r.Rest = r.All - r.Launches - r.Calls; r.Rest < 0 {
		return nil
	}
	return r
}

// versions are those of the tools, as far as they are here.
func versions() string {
	var list []string
	words := strings.NewReplacer("version ", "", "-- ", "", "from ", "")
	for _, tool := range []string{
		"strace", "unshare", "bwrap", "crun", "runc", "podman", "systemd-nspawn",
	} {
		if out, err := exec.Command(tool, "--version").Output(); err == nil {
			line, _, _ := strings.Cut(string(out), "\n")
			line, _, _ = strings.Cut(words.Replace(line), " (")
			list = append(list, strings.TrimSpace(line))
		}
	}
	return strings.Join(list, ", ")
}
