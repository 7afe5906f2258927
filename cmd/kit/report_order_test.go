//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/trace"
)

// TestErrorComesLast: what fails in the child is told below the trace, after the
// clean-up's calls, once, and stands in the record's end. It is told in the same words
// without a trace.
func TestErrorComesLast(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for _, c := range []struct {
		name string
		args []string
		exit int
		want string
	}{
		{"not found", []string{"--", "/no/such"}, 127, "kit: execve /no/such: "},
		{"no directory", []string{"-w", "/no/where", "--", "/bin/true"}, 125, "kit: chdir /no/where: "},
		{"no user", []string{"-u", "nobody-here", "--", "/bin/true"}, 125, "kit: user nobody-here: "},
		{"init", []string{"--init", "-w", "/no/where", "--", "/bin/true"}, 125, "kit: chdir /no/where: "},
		{"terminal", []string{"-t", "-w", "/no/where", "--", "/bin/true"}, 125, "kit: chdir /no/where: "},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "trace.json")
			told := func(flags ...string) string {
				args := append([]string{"step", "2", "--rootfs", root}, append(flags, c.args...)...)
				r := runKit(t, args...)
				require.Equal(t, c.exit, r.exit, r.err)
				return r.err
			}
			plain := told("--trace=off")
			require.True(t, strings.HasPrefix(plain, c.want), plain)
			traced := told("--trace=steps")
			require.True(t, strings.HasSuffix(traced, "\n"+plain), traced)
			require.Equal(t, 1, strings.Count(traced, "\n"+c.want), traced)

			require.Equal(t, plain, told("--format=json", "--trace-file="+file))
			last := lastEvent(t, file)
			require.Equal(t, trace.End, last.Kind)
			require.Equal(t, c.exit, *last.Exit)
			text := "kit: " + last.Error + "\n"
			for _, h := range last.Hints {
				text += "hint: " + h + "\n"
			}
			require.Equal(t, plain, text)
		})
	}
}

func lastEvent(t *testing.T, file string) *trace.Event {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	e := &trace.Event{}
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), e))
	return e
}

// TestNotesComeLast: so does what has been noticed on the way.
func TestNotesComeLast(t *testing.T) {
	ktest.Clean(t)
	r := runKit(t, "step", "4", "--diff", "--rootfs", ktest.Rootfs(t), "--",
		"/bin/sh", "-c", "echo > /made")
	require.Zero(t, r.exit, r.err)
	require.Regexp(t, `\n(kit: .*\n)*kit: A /made\n$`, r.err)
	require.Equal(t, 1, strings.Count(r.err, "kit: A /made\n"))
}

// TestInWords: joined errors are told one by one, wrapped ones as one.
func TestInWords(t *testing.T) {
	a, b := errors.New("a"), &container.Told{Text: "b", Hints: []string{"h"}}
	texts := func(err error) (list []string) {
		for _, e := range inWords(err) {
			list = append(list, e.Text)
		}
		return list
	}
	require.Empty(t, inWords(nil))
	require.Equal(t, []string{"a", "b"}, texts(errors.Join(a, errors.Join(b))))
	require.Equal(t, []string{"a: c"}, texts(fmt.Errorf("%w: %w", a, errors.New("c"))))
	require.Equal(t, []string{"h"}, inWords(fmt.Errorf("x: %w", b))[0].Hints)
}
