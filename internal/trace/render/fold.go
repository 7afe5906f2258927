package render

import (
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

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
	before := t.here.told[placeOf(e)]
	if t.o.Verbosity > 0 || before == nil || before.Call != e.Call || len(e.Changes) > 0 ||
		e.Class == trace.Command || e.Injected || len(e.Log) > 0 {
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
