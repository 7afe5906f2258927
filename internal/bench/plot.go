//go:build linux

package main

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"
)

// The measures of the plot, in pixels.
const (
	row, left, right, top = 22, 190, 70, 64
	width                 = 760
)

// plot draws the median of each start on a logarithmic scale, the fastest on top: a disc
// with a bar from quartile to quartile when hot, a ring when settled.
func (p *page) plot() string {
	list := slices.DeleteFunc(slices.Clone(p.Starts), func(s *start) bool {
		return !s.Worked()
	})
	slices.SortStableFunc(list, func(a, b *start) int {
		return cmp.Compare(spreadOf(a.hot).Middle, spreadOf(b.hot).Middle)
	})
	var marks strings.Builder
	y, scale := top, newScale(list)
	for _, s := range list {
		hot, settled := spreadOf(s.hot), spreadOf(s.settled)
		middle := float64(y) + row/2
		fmt.Fprintf(&marks, "<g class=%q>\n<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
			s.kind, left-10, y+15, html.EscapeString(s.Name))
		for _, x := range []struct {
			class string
			spread
		}{{"pale", settled}, {"bar", hot}} {
			fmt.Fprintf(&marks, "<path class=%q d=\"M%.1f %.1fH%.1f\"/>\n",
				x.class, scale.at(x.Low), middle, scale.at(x.High))
		}
		fmt.Fprintf(&marks, "<circle class=\"ring\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n",
			scale.at(settled.Middle), middle)
		fmt.Fprintf(&marks, "<circle class=\"disc\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>\n",
			scale.at(hot.Middle), middle)
		fmt.Fprintf(&marks, "<text x=\"%.1f\" y=\"%d\">%.1f</text>\n</g>\n",
			scale.at(max(hot.High, settled.High))+10, y+15, hot.Middle)
		y += row
	}
	return fmt.Sprintf(picture, width, y+10, width, y+10, p.Settle) + scale.lines(y) +
		marks.String() + "</svg>\n"
}

const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d"
 role="img" aria-labelledby="title desc">
<title id="title">From start to exit of true, in milliseconds</title>
<desc id="desc">A row for each tool, the fastest on top, on a logarithmic scale: the median, and
the quartiles as a bar. The numbers are in the table of speed.md.</desc>
<style>
svg{--paper:#fff;--ink:#24292f;--grid:#d8dee4;--kit:#1f6fbf;--traced:#b35900;--other:#6e7781}
@media(prefers-color-scheme:dark){
svg{--paper:#0d1117;--ink:#e6edf3;--grid:#30363d;--kit:#58a6ff;--traced:#f0a04b;--other:#9ea7b1}}
text{font:12px system-ui,sans-serif;fill:var(--ink)}.paper{fill:var(--paper)}
.kit{--c:var(--kit)}.traced{--c:var(--traced)}.other{--c:var(--other)}
.disc{fill:var(--c)}.ring{fill:var(--paper);stroke:var(--c);stroke-width:1.5}
path{fill:none}.bar{stroke:var(--c);stroke-width:6;stroke-opacity:.45}
.pale{stroke:var(--c);stroke-width:2;stroke-opacity:.45}.grid{stroke:var(--grid)}
</style>
<rect class="paper" width="100%%" height="100%%"/>
<g class="kit"><circle class="disc" cx="16" cy="16" r="4.5"/>
<text x="26" y="20">kit</text></g>
<g class="traced"><circle class="disc" cx="66" cy="16" r="4.5"/>
<text x="76" y="20">kit, traced</text></g>
<g class="other"><circle class="disc" cx="160" cy="16" r="4.5"/>
<text x="170" y="20">others, back to back, with the number</text>
<circle class="ring" cx="420" cy="16" r="4"/>
<text x="430" y="20">the same after %s of idleness</text></g>
`
