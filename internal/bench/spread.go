//go:build linux

package main

import (
	"slices"
	"time"
)

// A spread is the median of some times and their quartiles, in milliseconds.
type spread struct{ Low, Middle, High float64 }

// spreadOf needs at least one time.
func spreadOf(times []time.Duration) spread {
	sorted := slices.Sorted(slices.Values(times))
	at := func(quarter int) float64 {
		below, rest := (len(sorted)-1)*quarter/4, (len(sorted)-1)*quarter%4
		above := sorted[min(below+1, len(sorted)-1)]
		return ms(sorted[below]) + ms(above-sorted[below])*float64(rest)/4
	}
	return spread{at(1), at(2), at(3)}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
