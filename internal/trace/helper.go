package trace

import (
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/state"
)

// A helper is a set-uid program that runs untraced on kit's behalf, such as
// newuidmap. What it did is seen on the id maps of the processes it can change.
type helper struct {
	name string
	pid  int
	maps map[int]state.IDMaps // by process
}

func newHelper(name string, pid int, threads map[int]*thread) *helper {
	h := &helper{name, pid, map[int]state.IDMaps{}}
	for _, th := range threads {
		if p := th.proc.pid; p != pid {
			h.maps[p] = state.ReadIDMaps(p)
		}
	}
	return h
}

// checkHelper tells the reader what the helper has done since it was last
// looked at.
func (t *tracer) checkHelper(th *thread) {
	h := t.helper
	if h == nil {
		return
	}
	for pid, before := range h.maps {
		after := state.ReadIDMaps(pid)
		for _, c := range before.Diff(after) {
			t.noteChange(th, h.name+" wrote "+c.What+": "+c.After, Change(c))
		}
		h.maps[pid] = after
	}
	if unix.Kill(h.pid, 0) == unix.ESRCH {
		t.helper = nil
	}
}
