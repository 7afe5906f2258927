package source

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

const text = `// Package p.
package p

// Doc of enter.
func enter() error {
	// Why one.
	if err := one(); err != nil {
		return err
	}
	// Why two,
	// in two lines.
	two(
		1,
		2)

	three()
	for range 3 {
		// Why four.
		four()
	}
	// Why defer.
	defer func() {
		// Why five.
		five()
	}()
	return nil
}

// Doc of value.
var value = func() int {
	// Why six.
	return six()
}()
`

func TestAt(t *testing.T) {
	r := NewReader(fstest.MapFS{"a/p.go": {Data: []byte(text)}})
	for line, want := range map[int]Statement{
		7:  {7, "if err := one(); err != nil {", "Why one."},
		8:  {8, "return err", ""},
		12: {12, "two(", "Why two, in two lines."},
		14: {12, "two(", "Why two, in two lines."},
		16: {16, "three()", ""},
		19: {19, "four()", "Why four."},
		22: {22, "defer func() {", "Why defer."},
		24: {24, "five()", "Why five."},
		25: {22, "defer func() {", "Why defer."},
		32: {32, "return six()", "Why six."},
	} {
		require.Equal(t, want, r.At("a/p.go", line), line)
	}
	require.Equal(t, Statement{Line: 7}, r.At("b/p.go", 7))
	require.Equal(t, Statement{Line: 700}, r.At("a/p.go", 700))
	require.Equal(t, Statement{Line: 7}, NewReader(nil).At("a/p.go", 7))
}

func TestSymbols(t *testing.T) {
	const p = "example.org/m/steps/01-chroot"
	for symbol, want := range map[string][2]string{
		p + ".enter":              {"enter", "enter"},
		p + ".enter.func1":        {"enter", "enter"},
		p + ".enter.func1.2":      {"enter", "enter"},
		p + ".enter.deferwrap1":   {"enter", "enter"},
		p + ".(*gate).send":       {"(*gate).send", "(*gate).send"},
		p + ".(*gate).send.func3": {"(*gate).send", "(*gate).send"},
		p + ".functional":         {"functional", "functional"},
	} {
		f := Frame{Symbol: symbol, Package: packageOf(symbol), File: "/home/x/m/steps/01-chroot/a.go"}
		f.Outer = f.outer()
		require.Equal(t, p, f.Package)
		require.Equal(t, want[0], f.Func())
		require.Equal(t, p+"."+want[1], f.Outer)
		require.Equal(t, "steps/01-chroot/a.go", f.Path("example.org/m"))
		require.True(t, f.In("example.org/m"))
		f.File = "/usr/local/go/src/os/file.go"
		require.False(t, f.In("example.org/m"))
	}
	require.Equal(t, "main", packageOf("main.main"))
	require.Equal(t, "a.b/c", packageOf("a.b/c.F[a.b/d.T]"))
}

func TestFramesOfNothing(t *testing.T) {
	require.Empty(t, Frames(0))
	require.Empty(t, Frames(1))
}
