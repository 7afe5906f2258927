//go:build linux

package main

import (
	"fmt"
	"math"
	"strings"
)

// A scale is logarithmic, from 1, 10, ... to the next power above all.
type scale struct{ from, to float64 }

func newScale(list []*start) scale {
	s := scale{from: math.Inf(1)}
	for _, x := range list {
		if x.took != nil {
			low, _, high := spread(x.took)
			s.from, s.to = min(s.from, low), max(s.to, high)
		}
	}
	// A bar of some length for the shortest, too.
	return scale{s.from / 2, s.to}
}

// at is where a number of milliseconds lies, in pixels.
func (s scale) at(ms float64) float64 {
	return left + (width-left-right)*math.Log(ms/s.from)/math.Log(s.to/s.from)
}

// lines are those of 1, 10, 100 ms ...
func (s scale) lines(bottom int) string {
	var b strings.Builder
	for ms := math.Pow(10, math.Ceil(math.Log10(s.from))); ms <= s.to; ms *= 10 {
		x := s.at(ms)
		fmt.Fprintf(&b, "<path class=\"grid\" d=\"M%.1f %dV%d\"/>\n", x, top-6, bottom)
		fmt.Fprintf(&b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g ms</text>\n", x, top-12, ms)
	}
	return b.String()
}
