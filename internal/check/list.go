package check

import "strings"

// List are the items that the steps 1 to upTo ask for, before anything has been looked at:
// no points, and the hints that need no process.
func List(upTo int) (items []Item) {
	for _, e := range exercises() {
		if e.step <= upTo {
			items = append(items, Item{
				Step: e.step, Name: e.name, What: e.what, Of: e.of,
				Hints: []string{
					strings.ReplaceAll(e.question, "{pid}", "PID"),
					strings.ReplaceAll(e.mechanism, "{pid}", "PID"),
				},
			})
		}
	}
	return items
}
