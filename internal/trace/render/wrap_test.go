package render

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWrap(t *testing.T) {
	require.Equal(t, []string{"one two", "three"}, wrap("one  two\nthree", 8))
	require.Equal(t, []string{"a", "12345678", "90 b"}, wrap("a 1234567890 b", 8))
	require.Equal(t, []string{""}, wrap("", 8))
}

func TestFill(t *testing.T) {
	units := []string{"f(a: 1, ", "b: 2, ", `c: "x y|z") = 3`}
	require.Equal(t, []string{`f(a: 1, b: 2, c: "x y|z") = 3`}, fill(units, 40))
	require.Equal(t, []string{"f(a: 1, b: 2,", `  c: "x y|z") = 3`}, fill(units, 20))
	flags := []string{"f(flags: ", "A_FLAG|B_FLAG|C_FLAG) = 4<file>"}
	require.Equal(t, []string{"f(flags:", "  A_FLAG|B_FLAG|", "  C_FLAG)", "  = 4<file>"},
		fill(flags, 17))
}

func TestExpression(t *testing.T) {
	for code, want := range map[string]string{
		`if err := unix.Chdir("/"); err != nil {`:  `unix.Chdir("/")`,
		`return unix.Close(fd)`:                    `unix.Close(fd)`,
		`err = unix.Close(fd)`:                     `unix.Close(fd)`,
		`pid, err := unix.Wait4(pid, nil, 0, nil)`: `pid, err := unix.Wait4(pid, nil, 0, nil)`,
		`if unix.Stat(path, &found) == nil {`:      `unix.Stat(path, &found) == nil`,
	} {
		require.Equal(t, want, expression(code))
	}
}

func TestShellWords(t *testing.T) {
	require.Equal(t, []string{"kit ", "'a b' ", `'it'\''s' `, "'' ", "'$$' ", "-e ", "A=b "},
		shellWords([]string{"kit", "a b", "it's", "", "$$", "-e", "A=b"}))
}
