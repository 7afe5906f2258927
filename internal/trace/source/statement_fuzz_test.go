package source

import (
	"strings"
	"testing"
)

// FuzzStatement takes apart any source, as that of a student who is half-way.
func FuzzStatement(f *testing.F) {
	f.Add("func a() {\n// why\nif err := b(); err != nil {\nreturn\n}\n}", 3)
	f.Add("func (", 1)
	f.Fuzz(func(_ *testing.T, text string, line int) {
		parse(strings.Split(text, "\n"), 1).first(line)
	})
}
