package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

// calls counts those of a process that were left out.
type calls struct{ again, library, runtime int }

func (c *calls) String() string {
	var parts []string
	for _, p := range []struct {
		n                 int
		whose, instead, v string
	}{
		{c.again, "more of statements above, which changed nothing", "", "-v"},
		{c.library, "calls of the Go library", "", "-v"},
		{c.runtime, "calls of the Go runtime", "of its runtime", "-vv"},
	} {
		if p.n == 0 {
			continue
		}
		whose := p.whose
		if len(parts) > 0 && p.instead != "" && c.library > 0 {
			whose = p.instead
		}
		parts = append(parts, fmt.Sprintf("+%d %s (%s)", p.n, whose, p.v))
	}
	return strings.Join(parts, ", ")
}

// looks tells the calls that only look at something, or open it to be looked at.
func looks(call string) bool {
	switch call {
	case "open", "openat", "openat2", "close", "read", "pread64", "readlink", "readlinkat",
		"access", "faccessat", "faccessat2", "stat", "lstat", "fstat", "newfstatat", "statx",
		"statfs", "fstatfs", "lseek", "fcntl", "getdents64", "poll", "ppoll":
		return true
	}
	return false
}

// repeats tells a call of a statement whose like has been shown in this section, and
// that changed nothing: a reader learns no more from it.
func (t *text) repeats(e *trace.Event) bool {
	before := t.told[placeOf(e)]
	if t.o.Verbosity > 0 || before == nil || before.Call != e.Call || len(e.Changes) > 0 {
		return false
	}
	if e.Errno != "" {
		return e.Errno == before.Errno && e.Errno == "ENOENT"
	}
	return looks(e.Call) || asks(e)
}

// asks tells a message of netlink that only asks.
func asks(e *trace.Event) bool {
	for _, d := range e.Decoded {
		for _, l := range d.Lines {
			if !strings.HasPrefix(l, "RTM_GET") && !strings.HasPrefix(l, "NFT_MSG_GET") {
				return false
			}
		}
	}
	return len(e.Decoded) > 0 && e.Refused == ""
}

// fold counts a call that is left out.
func (t *text) fold(e *trace.Event) {
	c := t.folded[e.PID]
	if c == nil {
		c = &calls{}
		t.folded[e.PID] = c
	}
	switch e.Class {
	case trace.Lesson:
		c.again++
	case trace.Bookkeeping:
		c.library++
	default:
		c.runtime++
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
