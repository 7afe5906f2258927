package lesson

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// Match tells whether what came is what the lesson says: nil, or where they part.
// In want "..." stands for any text, and alone in a line for any lines, even none. Any
// blanks are the same, and like takes any number for any other.
func Match(want, got []string, like bool) error {
	shown := want
	want, got = trim(want), trim(got)
	if like {
		want, got = blur(want), blur(got)
	}
	reached := 0 // how far the text was followed at best
	var match func(w, g int) bool
	seen := map[[2]int]bool{}
	match = func(w, g int) bool {
		if seen[[2]int{w, g}] {
			return false
		}
		seen[[2]int{w, g}] = true
		reached = max(reached, w)
		switch {
		case w == len(want):
			return g == len(got)
		case strings.TrimSpace(want[w]) == "...":
			return match(w+1, g) || g < len(got) && match(w, g+1)
		}
		return g < len(got) && matchLine(want[w], got[g]) && match(w+1, g+1)
	}
	switch {
	case match(0, 0):
		return nil
	case reached == len(want):
		return fmt.Errorf("more came than the lesson says")
	}
	return fmt.Errorf("this line of the lesson did not come: %q", shown[reached])
}

// matchLine matches one line, in which "..." stands for any text.
func matchLine(want, got string) bool {
	parts := strings.Split(want, "...")
	if len(parts) == 1 {
		return want == got
	}
	rest, ok := strings.CutPrefix(got, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[last])
}

// trim takes the blanks from the ends of lines, and empty lines from the end. Of several
// blanks it leaves one, as columns are as wide as the machine's largest number, and none
// around text that may be missing.
func trim(lines []string) []string {
	var out []string
	for _, line := range lines {
		line = strings.Join(strings.Fields(line), " ")
		out = append(out, strings.ReplaceAll(strings.ReplaceAll(line, " ...", "..."), "... ", "..."))
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// number is one in a text, or the name of a container that was given none.
var number = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`kit-[0-9a-f]{6}|[0-9]+(\.[0-9]+)?`)
})

// blur makes all numbers the same.
func blur(lines []string) []string {
	var out []string
	for _, line := range lines {
		out = append(out, number().ReplaceAllStringFunc(line, func(s string) string {
			if strings.HasPrefix(s, "kit-") {
				return "kit-0"
			}
			return "0"
		}))
	}
	return out
}
