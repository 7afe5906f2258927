package rootfs

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// patience is how long work may take before its beginning is told. What fails
// at once is told by its error alone.
const patience = 300 * time.Millisecond

// A task is a line of progress: what is being done, and then how it went.
type task struct {
	w     io.Writer
	what  string
	start time.Time
	timer *time.Timer
	once  sync.Once
	shown bool
}

// begin starts a line.
func begin(w io.Writer, format string, args ...any) *task {
	t := &task{w: w, what: fmt.Sprintf(format, args...), start: time.Now()}
	t.timer = time.AfterFunc(patience, t.show)
	return t
}

func (t *task) show() {
	t.once.Do(func() {
		t.shown = true
		fmt.Fprintf(t.w, "kit: %s ... ", t.what)
	})
}

// done ends the line, with what has come of it and how long it took.
func (t *task) done(result string) {
	t.timer.Stop()
	t.show()
	fmt.Fprintf(t.w, "%s%.1f s\n", result, time.Since(t.start).Seconds())
}

// failed ends the line, if it has begun.
func (t *task) failed() {
	t.timer.Stop()
	t.once.Do(func() {})
	if t.shown {
		fmt.Fprintln(t.w, "failed")
	}
}
