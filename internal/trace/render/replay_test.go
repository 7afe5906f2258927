package render

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/trace"
)

const (
	began = `{"v":1,"kind":"begin","argv":["kit"],"cgroup":"v2","rootless":false}` + "\n"
	ended = `{"v":1,"kind":"end","step":0,"exit":0,"syscalls":{}}` + "\n"
)

// TestReplay checks that what is read is what was written, byte by byte, with the keys
// that only a later kit knows; and event by event.
func TestReplay(t *testing.T) {
	for _, name := range records {
		var once, twice, copied bytes.Buffer
		require.NoError(t, Replay(bytes.NewReader(record(t, name)), NewJSON(&copied)))
		require.Equal(t, string(record(t, name)), copied.String())
		require.NoError(t, Replay(bytes.NewReader(record(t, name)), sinkFunc(NewJSON(&once).Event)))
		require.NoError(t, Replay(bytes.NewReader(once.Bytes()), sinkFunc(NewJSON(&twice).Event)))
		require.Equal(t, once.String(), twice.String())
		for _, l := range strings.Split(strings.TrimSpace(once.String()), "\n") {
			require.True(t, strings.HasPrefix(l, `{"v":1,"kind":"`), l)
		}
	}
}

func TestReplayBad(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "line 1: the record is empty",
		"\x7fELF\x02":                       "line 1: not an event of a trace",
		"hello\n":                           "line 1: not an event of a trace",
		"{}\n":                              "line 1: not an event of a trace",
		"null\n":                            "line 1: not an event of a trace",
		"[]\n":                              "line 1: not an event of a trace",
		`{"v":1,"kind":"beg`:                "line 1: not an event of a trace",
		`{"v":2,"kind":"begin"}`:            "line 1: version 2 of the format: this kit knows 1",
		`{"v":2,"kind":["new"]}`:            "line 1: version 2 of the format: this kit knows 1",
		`{"v":-1,"kind":"begin"}`:           "line 1: not an event of a trace",
		began + `{"v":1,"kind":"scene"}`:    "line 2: not an event of a trace",
		began + `{"v":3,"kind":"x"}`:        "line 2: version 3 of the format: this kit knows 1",
		began + "\x00\xff\xfe\n" + ended:    "line 2: not an event of a trace",
		began + strings.Repeat("[", 20<<20): "line 2: longer than 16 MiB: not an event",
		strings.Repeat("\x00", 20<<20):      "line 1: longer than 16 MiB: not an event",
		ended:                               "line 1: a record begins with a begin event, not with end",
		began + "\n" + ended:                "line 2: not an event of a trace",
		began + "hello\n" + ended:           "line 2: not an event of a trace",
		began + ended + began:               "line 3: begin after the end of the record",
		began + `{"v":1,"kind":"syscall","seq":"one"}` + "\n": "line 2: not an event of a trace",
	} {
		err := Replay(strings.NewReader(in), NewText(io.Discard, TextOptions{}))
		require.ErrorContains(t, err, want, "%.99q", in)
		require.NotContains(t, err.Error(), "\n")
	}
}

// TestReplayCutOff cuts a record at every tenth byte: what there is is printed,
// and that it is cut off is said.
func TestReplayCutOff(t *testing.T) {
	whole := record(t, "step1")
	all := rendered(t, "step1", TextOptions{})
	for n := bytes.IndexByte(whole, '\n') + 1; n < len(whole)-1; n += 10 {
		var b bytes.Buffer
		err := Replay(bytes.NewReader(whole[:n]), NewText(&b, TextOptions{}))
		require.ErrorIs(t, err, ErrCutOff)
		line := bytes.Count(whole[:n], []byte("\n"))
		if whole[n-1] != '\n' {
			line++
		}
		require.ErrorContains(t, err, fmt.Sprintf("line %d: ", line))
		require.True(t, strings.HasPrefix(all, b.String()))
		require.NotEmpty(t, b.String())
	}
}

// TestReplayErrors checks that an error of either side ends it.
func TestReplayErrors(t *testing.T) {
	full := errors.New("disk full")
	var calls int
	sink := sinkFunc(func(*trace.Event) error { calls++; return full })
	require.ErrorIs(t, Replay(strings.NewReader(began+ended), sink), full)
	require.Equal(t, 1, calls)
	broken := io.MultiReader(strings.NewReader(began), readerFunc(func([]byte) (int, error) {
		return 0, full
	}))
	require.ErrorIs(t, Replay(broken, NewText(io.Discard, TextOptions{})), full)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestOneWrite checks that an event is one write: lines of several writers do
// not mix, and a record that is cut off ends with a whole line.
func TestOneWrite(t *testing.T) {
	for _, form := range []func(io.Writer) trace.Sink{
		NewJSON,
		func(w io.Writer) trace.Sink { return NewText(w, TextOptions{Verbosity: 2, Color: true}) },
	} {
		var events, writes int
		sink := form(writerFunc(func(p []byte) (int, error) {
			writes++
			require.Equal(t, byte('\n'), p[len(p)-1])
			return len(p), nil
		}))
		counted := sinkFunc(func(e *trace.Event) error {
			events++
			return sink.Event(e)
		})
		require.NoError(t, Replay(bytes.NewReader(record(t, "rootless")), counted))
		require.Equal(t, events, writes)
	}
}

// TestWriterFails checks that a sink tells the error of its writer, each time.
func TestWriterFails(t *testing.T) {
	full := errors.New("disk full")
	w := writerFunc(func([]byte) (int, error) { return 0, full })
	for _, sink := range []trace.Sink{NewJSON(w), NewText(w, TextOptions{})} {
		for range 2 {
			require.ErrorIs(t, sink.Event(&trace.Event{Kind: trace.Begin}), full)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestColorFor(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	terminal, tty, err := pty.Open()
	require.NoError(t, err)
	defer terminal.Close()
	defer tty.Close()
	for _, c := range []struct {
		mode, noColor string
		pipe, tty     bool
	}{
		{"auto", "", false, true},
		{"auto", "1", false, false},
		{"always", "1", true, true},
		{"never", "", false, false},
	} {
		t.Setenv("NO_COLOR", c.noColor)
		onPipe, err := ColorFor(c.mode, w)
		require.NoError(t, err)
		onTTY, err := ColorFor(c.mode, tty)
		require.NoError(t, err)
		require.Equal(t, []bool{c.pipe, c.tty}, []bool{onPipe, onTTY}, "%+v", c)
	}
	_, err = ColorFor("sometimes", w)
	require.EqualError(t, err, "--color sometimes: not one of auto, always, never")
}

// TestWidthFor checks that a terminal gets its own width, within reason.
func TestWidthFor(t *testing.T) {
	t.Setenv("COLUMNS", "")
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	require.Equal(t, 80, WidthFor(w))
	terminal, tty, err := pty.Open()
	require.NoError(t, err)
	defer terminal.Close()
	defer tty.Close()
	t.Setenv("COLUMNS", "100")
	require.Equal(t, 100, WidthFor(w))
	require.Equal(t, 100, WidthFor(tty))
	t.Setenv("COLUMNS", "nonsense")
	for columns, want := range map[uint16]int{0: 80, 39: 80, 40: 40, 100: 100, 200: 120} {
		require.NoError(t, pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: columns}))
		require.Equal(t, want, WidthFor(tty), "%d columns", columns)
	}
}
