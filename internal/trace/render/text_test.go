package render

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/trace"
)

var update = flag.Bool("update", false, "write the golden files anew")

// records are real ones, without most of the calls that are not of the lesson;
// failed.json and followed.json are made up of what seldom happens.
var records = []string{"step1", "step2", "rootless", "failed", "followed"}

func record(t testing.TB, name string) []byte {
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	require.NoError(t, err)
	return data
}

func rendered(t testing.TB, name string, o TextOptions) string {
	var b bytes.Buffer
	require.NoError(t, Replay(bytes.NewReader(record(t, name)), NewText(&b, o)))
	return b.String()
}

func TestText(t *testing.T) {
	for _, name := range records {
		for suffix, o := range map[string]TextOptions{
			"80":       {Width: 80},
			"120":      {Width: 120},
			"80-color": {Width: 80, Color: true},
			"80-v":     {Width: 80, Verbosity: 1},
			"80-vv":    {Width: 80, Verbosity: 2, Errors: true},
		} {
			file := filepath.Join("testdata", name+"-"+suffix+".golden")
			got := rendered(t, name, o)
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), got, "%s: write it anew with -update", file)
		}
	}
}

// TestWidth checks that no terminal breaks a line by itself, where it would
// stand without its bar.
func TestWidth(t *testing.T) {
	for _, name := range records {
		for width := narrowest; width <= 120; width += 7 {
			for verbosity := range 3 {
				text := rendered(t, name, TextOptions{Width: width, Verbosity: verbosity})
				for _, l := range strings.Split(text, "\n") {
					require.LessOrEqual(t, columns(l), width, l)
					require.Equal(t, strings.TrimRight(l, " "), l, "spaces at the end")
				}
			}
		}
	}
}

// TestColor checks that colours are all that --color adds, that each ends in its
// line, and that they are of the eight which every terminal has.
func TestColor(t *testing.T) {
	sgr := regexp.MustCompile("\x1b\\[([0-9;]*)m")
	for _, name := range records {
		colored := rendered(t, name, TextOptions{Color: true})
		require.Contains(t, colored, "\x1b[")
		require.Equal(t, rendered(t, name, TextOptions{}), sgr.ReplaceAllString(colored, ""))
		for _, l := range strings.Split(colored, "\n") {
			codes := sgr.FindAllStringSubmatch(l, -1)
			if len(codes) == 0 {
				continue
			}
			require.Regexp(t, `^(0|(0;)?2[0-9])$`, codes[len(codes)-1][1], "%q", l)
			for _, c := range codes {
				require.Regexp(t, `^((0|1|2|4|2[0-9]|3[1-6])(;|$))+$`, c[1], "%q", l)
			}
		}
	}
}

// TestFolded checks that calls which are left out are counted: those that are
// printed and those that are not are all there are.
func TestFolded(t *testing.T) {
	left := regexp.MustCompile(`(\d+) of the (?:statements|library|runtime) \(-v`)
	printed := regexp.MustCompile(`(?m)^(?:│ )?(?:  call    \w+\(|  (?:library|runtime) |` +
		`\S+\.go:\d+  \w+\(.* (?:= |does not))`)
	for _, name := range records {
		for verbosity := range 3 {
			var want int
			text := rendered(t, name, TextOptions{Verbosity: verbosity, Width: 120})
			counted := len(printed.FindAllString(text, -1))
			for _, m := range left.FindAllStringSubmatch(text, -1) {
				n, err := strconv.Atoi(m[1])
				require.NoError(t, err)
				counted += n
			}
			sink := sinkFunc(func(e *trace.Event) error {
				if e.Kind == trace.Syscall {
					want++
				}
				return nil
			})
			require.NoError(t, Replay(bytes.NewReader(record(t, name)), sink))
			require.Equal(t, want, counted, "%s -v %d", name, verbosity)
		}
	}
}

// TestHostile checks that a record of a stranger cannot command the terminal,
// and that events with nothing in them do no harm.
func TestHostile(t *testing.T) {
	text := rendered(t, "failed", TextOptions{})
	require.NotContains(t, text, "\x1b")
	require.NotContains(t, text, "\a")
	require.Contains(t, text, `\x1b]0;title\a`)
	sink := NewText(io.Discard, TextOptions{Width: 1, Verbosity: 2})
	for _, kind := range []trace.Kind{trace.Begin, trace.Note, trace.Syscall, trace.End, "unheard"} {
		for _, class := range []trace.Class{trace.Lesson, trace.Bookkeeping, "", "x"} {
			require.NoError(t, sink.Event(&trace.Event{Kind: kind, Class: class, File: "a.go"}))
		}
	}
}

type sinkFunc func(*trace.Event) error

func (f sinkFunc) Event(e *trace.Event) error { return f(e) }

func BenchmarkText(b *testing.B) { benchmark(b, NewText(io.Discard, TextOptions{Color: true})) }

func BenchmarkJSON(b *testing.B) { benchmark(b, NewJSON(io.Discard)) }

// benchmark renders the calls of step 2, one an iteration.
func benchmark(b *testing.B, sink trace.Sink) {
	var events []*trace.Event
	collect := sinkFunc(func(e *trace.Event) error {
		events = append(events, e)
		return nil
	})
	require.NoError(b, Replay(bytes.NewReader(record(b, "step2")), collect))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := sink.Event(events[i%len(events)]); err != nil {
			b.Fatal(err)
		}
	}
}
