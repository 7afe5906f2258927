//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
)

// known refuses a name that is not one of those that there are, and tells which of
// them it may be meant for.
func known(what, name string, names []string) error {
	if slices.Contains(names, name) && name != "" {
		return nil
	}
	best, nearest := "", 3 // two letters off may be a slip, three are another word
	for _, n := range names {
		d := distance(name, n)
		if d < nearest || d == nearest && d < 3 && strings.HasPrefix(n, name) {
			best, nearest = n, d
		}
	}
	if best == "" {
		return fmt.Errorf("there is no %s %q", what, name)
	}
	return fmt.Errorf("there is no %s %q; did you mean %s?", what, name, best)
}

// distance is how many letters must be added, dropped or changed to make b of a
// (Levenshtein's distance).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
