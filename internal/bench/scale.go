//go:build linux

package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// A scale is logarithmic, from below the shortest to the longest, in milliseconds.
type scale struct{ from, to float64 }

func newScale(list []*start) scale {
	s := scale{from: math.Inf(1)}
	for _, x := range list {
		for _, times := range [][]time.Duration{x.hot, x.settled} {
			q := spreadOf(times)
			s.from, s.to = min(s.from, q.Low), max(s.to, q.High)
		}
	}
	return scale{s.from / 1.3, s.to}
}

// at is where a number of milliseconds lies, in pixels.
func (s scale) at(ms float64) float64 {
	return left + (width-left-right)*math.Log(ms/s.from)/math.Log(s.to/s.from)
}

// lines are those of 1, 2, 5, 10, 20, 50 ms ...
func (s scale) lines(bottom int) string {
	var b strings.Builder
	for power := math.Pow(10, math.Floor(math.Log10(s.from))); power <= s.to; power *= 10 {
		for _, ms := range []float64{power, 2 * power, 5 * power} {
			if ms < s.from || ms > s.to {
				continue
			}
			x := s.at(ms)
			fmt.Fprintf(&b, "<path class=\"grid\" d=\"M%.1f %dV%d\"/>\n", x, top-6, bottom)
			fmt.Fprintf(&b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.3g ms</text>\n",
				x, top-12, ms)
		}
	}
	return b.String()
}
