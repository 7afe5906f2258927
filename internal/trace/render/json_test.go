package render

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/trace"
)

// TestJSONKeys: an event has all the keys of its kind, empty or not.
func TestJSONKeys(t *testing.T) {
	exit, no := 0, false
	for _, c := range []struct {
		e    trace.Event
		keys []string
	}{
		{
			trace.Event{
				V: 1, Kind: trace.Begin, Argv: []string{"kit"}, Kernel: "6.12.0", Cgroup: "v2",
				Rootless: &no,
			},
			[]string{"v", "kind", "argv", "kernel", "cgroup", "rootless"},
		},
		{
			trace.Event{V: 1, Kind: trace.End, Exit: &exit, Syscalls: map[trace.Class]int{trace.Lesson: 1}},
			[]string{"v", "kind", "exit", "syscalls"},
		},
		{
			trace.Event{
				V: 1, Kind: trace.Syscall, Seq: 1, T: 1, PID: 2, TID: 2, NSPID: 1, Side: trace.Child,
				Name: "engine", Class: trace.Lesson, File: "a.go", Line: 1, Func: "f", Code: "f()",
				Call: "getpid", Ret: new(int64),
			},
			[]string{
				"v", "kind", "seq", "t_ns", "pid", "tid", "nspid", "side", "step", "name", "moment",
				"class", "file", "line", "func", "code", "why", "call", "args", "ret", "errno",
				"injected", "changes",
			},
		},
	} {
		var out bytes.Buffer
		require.NoError(t, NewJSON(&out).Event(&c.e))
		var got map[string]any
		require.NoError(t, json.Unmarshal(out.Bytes(), &got))
		var keys []string
		for k := range got {
			keys = append(keys, k)
		}
		require.ElementsMatch(t, c.keys, keys)
	}
}
