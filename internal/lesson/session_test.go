package lesson_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/lesson"
)

func TestSession(t *testing.T) {
	b := lesson.Block{Info: "root with:ls 2", Code: `$ kit step 2 --name box
kit:2:box:/# echo one; \
> echo two
one
two
kit:2:box:/# exit
`}
	s, err := b.Session()
	require.NoError(t, err)
	require.Equal(t, &lesson.Session{
		Root: true, Tools: []string{"ls"}, Terminal: 2,
		Commands: []lesson.Command{
			{Prompt: "$", Line: "kit step 2 --name box"},
			{Prompt: "kit:2:box:/#", Line: "echo one; \\\necho two", Output: []string{"one", "two"}},
			{Prompt: "kit:2:box:/#", Line: "exit"},
		},
	}, s)
	require.True(t, s.Commands[1].Inside())

	_, err = (&lesson.Block{Info: "roots"}).Session()
	require.ErrorContains(t, err, "roots: none of root, like, with:TOOL, the number of a terminal")
	_, err = (&lesson.Block{Code: "one\n$ echo one\n"}).Session()
	require.ErrorContains(t, err, `"one" stands before the first command`)
}

func TestMatch(t *testing.T) {
	for _, c := range []struct{ want, got, err string }{
		{"a\nb", "a\nb\n", ""},
		{"a\nb", "a \nb\n\n", ""},
		{"a\n...\nz", "a\nz", ""},
		{"a\n...\nz", "a\nb\nc\nz", ""},
		{"...\nb\n...", "a\nb\nb", ""},
		{"pid ... (... inside)", "pid 4711 (1 inside)", ""},
		{"wait ...", "wait ...", ""},
		{"a\nb", "a", `this line of the lesson did not come: "b"`},
		{"a", "a\nb", "more came than the lesson says"},
		{"a ... c", "a c d", `did not come: "a ... c"`},
		{"x...y...x", "xyx", ""},
		{"x...x", "x", `did not come`},
	} {
		err := lesson.Match(strings.Split(c.want, "\n"), strings.Split(c.got, "\n"), false)
		if c.err == "" {
			require.NoError(t, err, "%q %q", c.want, c.got)
		} else {
			require.ErrorContains(t, err, c.err, "%q %q", c.want, c.got)
		}
	}
}

func TestMatchLike(t *testing.T) {
	want := []string{"NAME  PID ...  AGE", "kit-12ab9f 4711  2 seconds  ..."}
	require.NoError(t, lesson.Match(want, []string{"NAME PID AGE", "kit-99887f 3 12 seconds x"}, true))
	require.Error(t, lesson.Match(want, []string{"NAME PID AGE", "box 3 12 seconds x"}, true))
}
