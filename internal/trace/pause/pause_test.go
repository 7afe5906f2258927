package pause

import (
	"io"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/trace"
)

// A fake is a screen whose keys are pressed already.
type fake struct {
	strings.Builder
	keys          []string
	columns, rows int
	inside        bool
	suspended     int
}

func (f *fake) Read(b []byte) (int, error) {
	if len(f.keys) == 0 {
		return 0, io.EOF
	}
	n := copy(b, f.keys[0])
	f.keys = f.keys[1:]
	return n, nil
}

func (f *fake) Size() (columns, rows int) { return f.columns, f.rows }

func (f *fake) Enter(func(int) bool) error { f.inside = true; return nil }

func (f *fake) Leave() { f.inside = false }

func (f *fake) Suspend() error { f.suspended++; return nil }

const code = "package p\n\n// Doc.\nfunc f() {\n\t// Why\n\t// it is.\n\tcall()\n\tafter()\n}\n"

func event() *trace.Event {
	return &trace.Event{
		Kind: trace.Syscall, Class: trace.Lesson, Side: trace.Child, PID: 1 << 30, TID: 1 << 30,
		Step: 2, Name: "namespaces", Moment: "Child", File: "p.go", Line: 7, Func: "f",
		Why: "Why it is.", Call: "mount", Args: []trace.Arg{{Name: "target", Text: `"/proc"`}},
	}
}

func newFake(keys ...string) (*fake, *Dialog) {
	f := &fake{keys: keys, columns: 80, rows: 24}
	return f, New(f, Options{From: 1, Sources: fstest.MapFS{"p.go": {Data: []byte(code)}}})
}

func TestPanel(t *testing.T) {
	f, d := newFake("\r")
	require.Zero(t, d.Pause(event()))
	require.False(t, f.inside)
	text := f.String()
	require.Contains(t, text, "── call 1 ─ child 1073741824")
	require.Contains(t, text, "     4  func f() {\n▶    7      call()\n     8      after()\n")
	require.Contains(t, text, "  why     Why it is.\n")
	require.Contains(t, text, "  call    mount(target: \"/proc\")\n")
	require.Contains(t, text, "  look    findmnt -N 1073741824")
}

// TestEveryWindow draws panels into windows of all sizes.
func TestEveryWindow(t *testing.T) {
	e := event()
	e.Why = strings.Repeat("many words ", 40)
	e.Decoded = []trace.Decoded{{What: trace.Messages, Lines: strings.Split(e.Why, " ")}}
	for columns := 20; columns < 130; columns += 7 {
		for rows := 2; rows < 50; rows++ {
			_, d := newFake()
			d.now = newWaiting(e)
			lines := append(d.lines(columns, rows), d.bar(columns))
			require.LessOrEqual(t, len(lines), rows)
			for _, l := range lines {
				require.LessOrEqual(t, utf8.RuneCountInString(l), max(columns, 30), l)
			}
		}
	}
}

func TestQuit(t *testing.T) {
	_, d := newFake("q")
	require.Equal(t, 130, d.Pause(event()))
	require.Equal(t, 130, d.Quit())
	_, d = newFake("\x03")
	require.Equal(t, 130, d.Pause(event()))
	_, d = newFake() // the terminal is gone
	require.Equal(t, 129, d.Pause(event()))
}

func TestRunOn(t *testing.T) {
	f, d := newFake("z", "\x1a", "r")
	require.Zero(t, d.Pause(event()))
	require.Contains(t, f.String(), "z is no key here")
	require.Equal(t, 1, f.suspended)
	length := f.Len()
	require.Zero(t, d.Pause(event()))
	require.Equal(t, length, f.Len(), "nothing is shown any more")
}

func TestNextMoment(t *testing.T) {
	f, d := newFake("m", "r")
	require.Zero(t, d.Pause(event()))
	require.Zero(t, d.Pause(event()))
	e := event()
	e.Step, e.Moment = 0, "" // kit's own
	require.Zero(t, d.Pause(e))
	require.Len(t, f.keys, 1)
	e.Step, e.Moment = 2, "Root"
	require.Zero(t, d.Pause(e))
	require.Empty(t, f.keys)
}

func TestKeys(t *testing.T) {
	require.Equal(t, []key{"enter", "enter", "x", "pgdn", "pgdn", "this", "ä", "Esc", ctrlC, "Ctrl-A"},
		parseKeys("\r\nx\x1b[6~\x1b[6~\x1b[11~ä\x1b\x03\x01"))
}

// TestQuietSink leaves out what follows a quit, but for the clean-up.
func TestQuietSink(t *testing.T) {
	_, d := newFake("q")
	var got events
	sink := d.Sink(&got, true)
	e := event()
	require.NoError(t, sink.Event(e))
	d.Pause(e)
	require.NoError(t, sink.Event(e))
	after := event()
	after.Moment = "After"
	require.NoError(t, sink.Event(after))
	require.NoError(t, sink.Event(&trace.Event{Kind: trace.End}))
	require.Len(t, got, 3)
}

type events []*trace.Event

func (l *events) Event(e *trace.Event) error { *l = append(*l, e); return nil }
