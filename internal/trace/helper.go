package trace

import (
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/state"
)

// A helper is a set-uid program that runs untraced on kit's behalf, such as
// newuidmap. What it did is seen on the id maps of the processes it can change.
type helper struct {
	pid  int
	maps map[int]state.IDMaps // by process
}

func newHelper(pid int, threads map[int]*thread) *helper {
	h := &helper{pid, map[int]state.IDMaps{}}
	for _, th := range threads {
		if p := th.proc.pid; p != pid {
			h.maps[p] = state.ReadIDMaps(p)
		}
	}
	return h
}

// changes tells what the helper has done since it was last asked.
func (h *helper) changes() []Change {
	var all []Change
	for pid, before := range h.maps {
		after := state.ReadIDMaps(pid)
		all = append(all, convert(before.Diff(after))...)
		h.maps[pid] = after
	}
	if unix.Kill(h.pid, 0) == unix.ESRCH {
		h.maps = nil
	}
	return all
}
