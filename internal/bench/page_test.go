//go:build linux

package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPage writes a page of numbers that are made up.
func TestPage(t *testing.T) {
	times := func(ms ...int) (list []time.Duration) {
		for _, x := range ms {
			list = append(list, time.Duration(x)*time.Millisecond)
		}
		return list
	}
	p := &page{
		Machine: "a machine", Rounds: 3, Settled: 2, Settle: time.Second,
		Failed: []error{errors.New("many at once: no room")},
		Starts: []*start{
			{Name: "fork and exec", kind: other, hot: times(1, 1, 1), settled: times(2, 2)},
			{Name: "kit step 2", kind: untraced, hot: times(6, 4, 5), settled: times(7, 9), Peak: 9},
			{Name: "a & b", kind: other, Err: errors.New("exit status 1")},
			{
				Name: "bubblewrap", kind: other, hot: times(4, 4, 4), settled: times(4, 4),
				Waiting: []memory{{2, 1}, {3, 1}},
			},
		},
		Missing: "crun, runc",
		Launch:  &launch{Packages: []initialized{{"os", 0.1, 2}}},
		Record:  &record{Phases: []part{{Name: "step 1", Calls: 3, MS: 2}}, Stop: 0.01},
		First:   &first{Files: 7},
		Costs:   []cost{{"stat", "ms", []place{{"host", 0.5}, {"kit", 200}, {"podman", -1}}}},
		Growth:  []size{{1, spread{4, 5, 6}, memory{9, 3}}, {500, spread{5, 6, 7}, memory{4, 3}}},
	}
	dir := filepath.Join(t.TempDir(), "docs")
	require.NoError(t, p.write(dir))
	text, err := os.ReadFile(filepath.Join(dir, "speed.md"))
	require.NoError(t, err)
	for _, line := range []string{
		"This could not be measured: many at once: no room",
		"| kit step 2 | 5.0 | 4.5 to 5.5 | 5.00 | 8.0 | 7.5 to 8.5 | 9.0 |",
		"| a & b | fails here | | | | | |",
		"a & b fails here: exit status 1",
		"Not installed here: crun, runc.",
		"| kit step 2 : bubblewrap | 1.25 | 2.00 | at most 1.3 | yes |",
		"| bubblewrap | 2 | 2.0 + 3.0 | 5.0 | 2.0 |",
		"| | host | kit | podman | unit |",
		"| stat | 0.50 | 200 | missing here | ms |",
		"| 500 | 6.0 | 5.0 to 7.0 | 1.20 | 4.00 | 3.00 |",
	} {
		require.Contains(t, string(text), "\n"+line+"\n")
	}
	require.NotContains(t, string(text), "NaN")
	require.NotContains(t, string(text), "\n\n\n")

	picture, err := os.ReadFile(filepath.Join(dir, "speed.svg"))
	require.NoError(t, err)
	require.NotContains(t, string(picture), "NaN")
	require.Contains(t, string(picture), `class="kit"`)
	for in := xml.NewDecoder(strings.NewReader(string(picture))); ; {
		_, err := in.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
}

// TestRead takes a record apart: what the observer adds is taken off, and what waits is
// left out.
func TestRead(t *testing.T) {
	r, err := read(strings.NewReader(`{"kind":"begin"}
{"kind":"syscall","class":"bookkeeping","side":"parent","call":"getpid","took_ns":10000}
{"kind":"syscall","class":"lesson","side":"child","step":2,"name":"namespaces","moment":"Root",` +
		`"call":"mount","took_ns":40000,"file":"steps/02/a.go","line":7}
{"kind":"syscall","class":"lesson","side":"child","step":2,"name":"namespaces","moment":"Root",` +
		`"call":"mount","took_ns":5000,"file":"steps/02/a.go","line":9}
{"kind":"syscall","class":"lesson","side":"parent","call":"recvmsg","took_ns":9000000}
{"kind":"syscall","class":"runtime","side":"parent","call":"mmap","took_ns":20000}
`))
	require.NoError(t, err)
	require.Equal(t, 1, r.Waits)
	require.InDelta(t, 0.01, r.Stop, 1e-9)
	require.Len(t, r.Phases, 3)
	require.Equal(t, "engine, parent", r.Phases[0].Name)
	root := r.Phases[1]
	require.Equal(t, "step 2 namespaces, Root", root.Name)
	require.Equal(t, "steps/02/a.go:7", root.Line)
	require.Equal(t, 2, root.Calls)
	require.InDelta(t, 0.03, root.MS, 1e-9)
	require.Equal(t, "Go's runtime, parent", r.Phases[2].Name)
	require.Equal(t, 4, r.Calls())
	require.Equal(t, "mount", r.Dearest()[0].Name)
	_, err = read(strings.NewReader(""))
	require.ErrorContains(t, err, "no system calls")
}

func TestSpread(t *testing.T) {
	require.Equal(t, spread{7, 7, 7}, spreadOf([]time.Duration{7 * time.Millisecond}))
	require.Equal(t, spread{1.5, 2, 2.5}, spreadOf([]time.Duration{
		3 * time.Millisecond, time.Millisecond, 2 * time.Millisecond,
	}))
}
