//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A page is all that was measured.
type page struct {
	machine string
	rounds  int
	settle  time.Duration
	starts  []*start
	missing []string
	calls   []call
	costs   []cost
	growth  []size
}

func (p *page) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "speed.svg"), []byte(p.plot()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "speed.md"), []byte(p.text()), 0o644)
}

const introduction = `# What a container costs

%s. Made by ` + "`make speed`" + `; do not edit. All was measured in turn, %d times,
with %s before each run. Compare ratios: the milliseconds are this machine's.

![start to exit, in milliseconds](speed.svg)

## From start to exit of true

The steps from 3 on have limits of memory, CPU and processes; step 5 and 6 a bridge, which the
first container makes and the last removes; step 6 Docker's capabilities and profile. crun and
runc have the same limits, no network, and the profile of their default bundle, which is none.

| | median ms | quartiles | x fork and exec | peak MiB |
|---|---|---|---|---|
`

func (p *page) text() string {
	var b strings.Builder
	idle := "no pause"
	if p.settle > 0 {
		idle = "a pause of " + p.settle.String()
	}
	fmt.Fprintf(&b, introduction, p.machine, p.rounds, idle)
	_, floor, _ := spread(p.starts[0].took)
	for _, s := range p.starts {
		if s.took == nil {
			fmt.Fprintf(&b, "| %s | fails here | | | |\n", s.name)
			continue
		}
		low, middle, high := spread(s.took)
		fmt.Fprintf(&b, "| %s | %.1f | %.1f to %.1f | %.1f | %.1f |\n",
			s.name, middle, low, high, middle/floor, s.peak)
	}
	if len(p.missing) > 0 {
		fmt.Fprintf(&b, "\nNot installed here: %s.\n", strings.Join(p.missing, ", "))
	}
	p.ratios(&b)
	b.WriteString("\n## Where the time goes\n\nThe calls of step 6 that take most, by its own trace " +
		"(with some 10 µs for each stop); those that wait for the other side are left out.\n\n" +
		"| call | times | ms |\n|---|---|---|\n")
	for _, c := range p.calls {
		fmt.Fprintf(&b, "| %s | %d | %.2f |\n", c.name, c.times, c.took.Seconds()*1000)
	}
	b.WriteString("\n## What stays\n\n" +
		"| | in a container | on the host | unit |\n|---|---|---|---|\n")
	for _, c := range p.costs {
		fmt.Fprintf(&b, "| %s | %.2f | %.2f | %s |\n", c.what, c.inside, c.outside, c.unit)
	}
	b.WriteString("\n## Many at once\n\nContainers of step 6 that are alive, what one more takes " +
		"from start to exit, and\nthe memory of kit's own process for each (proportional set size).\n\n" +
		"| alive | ms | MiB each |\n|---|---|---|\n")
	for _, s := range p.growth {
		fmt.Fprintf(&b, "| %d | %.1f | %.2f |\n", s.alive, s.start, s.memory)
	}
	return b.String()
}

// ratios are the comparisons that kit wants to win.
func (p *page) ratios(b *strings.Builder) {
	b.WriteString("\n| | ratio | goal |\n|---|---|---|\n")
	for _, r := range []struct{ one, other, goal string }{
		{"kit step 2", "bubblewrap", "1.3"},
		{"kit step 6", "crun", "1.5"},
		{"kit step 6", "runc", "0.5"},
		{"kit step 6, traced", "strace -f kit step 6", "1"},
	} {
		one, other := p.median(r.one), p.median(r.other)
		if one > 0 && other > 0 {
			fmt.Fprintf(b, "| %s : %s | %.2f | at most %s |\n", r.one, r.other, one/other, r.goal)
		}
	}
}

func (p *page) median(name string) float64 {
	for _, s := range p.starts {
		if s.name == name && s.took != nil {
			_, middle, _ := spread(s.took)
			return middle
		}
	}
	return 0
}

// The measures of the plot, in pixels.
const (
	row, left, right, top = 22, 170, 60, 34
	width                 = 760
)

// plot draws a bar each, as long as the median is on a logarithmic scale, and its spread.
func (p *page) plot() string {
	var bars strings.Builder
	y := top
	scale := newScale(p.starts)
	for _, s := range p.starts {
		if s.took == nil {
			continue
		}
		low, middle, high := spread(s.took)
		class := "other"
		if strings.HasPrefix(s.name, "kit") {
			class = "kit"
		}
		fmt.Fprintf(&bars, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
			left-8, y+15, s.name)
		fmt.Fprintf(&bars, "<rect class=%q x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n",
			class, left, y+3, scale.at(middle)-left, row-6)
		fmt.Fprintf(&bars, "<path d=\"M%.1f %dH%.1f\"/>\n", scale.at(low), y+row/2, scale.at(high))
		fmt.Fprintf(&bars, "<text x=\"%.1f\" y=\"%d\">%.1f</text>\n",
			scale.at(max(high, middle))+6, y+15, middle)
		y += row
	}
	return fmt.Sprintf(picture, width, y+10, width, y+10) + scale.lines(y) + bars.String() + "</svg>\n"
}

const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d"
 role="img" aria-labelledby="title">
<title id="title">From start to exit of true in milliseconds: the table has the numbers</title>
<style>
svg{background:#fff}text{font:12px system-ui,sans-serif;fill:#333}
.kit{fill:#2a78c5}.other{fill:#9aa4ae}path{stroke:#111;fill:none}.grid{stroke:#ddd}
</style>
`
