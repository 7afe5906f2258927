package render

import (
	"fmt"
	"maps"
	"slices"

	"github.com/containerkit/kit/internal/trace"
)

// calls counts those of a process that were left out.
type calls struct{ library, runtime int }

func (c *calls) String() string {
	switch {
	case c.library == 0:
		return fmt.Sprintf("+%d calls of the Go runtime (-vv)", c.runtime)
	case c.runtime == 0:
		return fmt.Sprintf("+%d calls of the Go library (-v)", c.library)
	}
	return fmt.Sprintf("+%d calls of the Go library (-v), +%d of its runtime (-vv)",
		c.library, c.runtime)
}

// fold counts a call that is left out.
func (t *text) fold(e *trace.Event) {
	c := t.folded[e.PID]
	if c == nil {
		c = &calls{}
		t.folded[e.PID] = c
	}
	if e.Class == trace.Runtime {
		c.runtime++
	} else {
		c.library++
	}
}

// unfold tells how many calls of the section's process were left out.
func (t *text) unfold() {
	if c := t.folded[t.section.pid]; c != nil {
		t.more(c.String())
		delete(t.folded, t.section.pid)
	}
}

// foldAll tells it of the processes that have not spoken since.
func (t *text) foldAll() {
	for _, pid := range slices.Sorted(maps.Keys(t.folded)) {
		t.more(fmt.Sprintf("process %d: %s", pid, t.folded[pid]))
	}
	clear(t.folded)
}

func (t *text) more(words string) {
	for i, l := range wrap(words, t.room()) {
		t.labelled("more", i, t.p.aside.Sprint(l))
	}
}
