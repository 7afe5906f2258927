package report_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/report"
	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/internal/trace/render"
)

// TestRecord makes a page of the record in KIT_RECORD, to look at: KIT_PAGE.
func TestRecord(t *testing.T) {
	name := os.Getenv("KIT_RECORD")
	if name == "" {
		t.Skip("KIT_RECORD names no record")
	}
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	r := report.New(os.DirFS("../.."))
	require.NoError(t, render.Replay(f, r))
	out, err := os.Create(os.Getenv("KIT_PAGE"))
	require.NoError(t, err)
	defer out.Close()
	require.NoError(t, r.Write(out))
}

// pageOf is the page of a record.
func pageOf(t *testing.T, events []*trace.Event) string {
	t.Helper()
	r := report.New(os.DirFS("../.."))
	for _, e := range events {
		require.NoError(t, r.Event(e))
	}
	var page strings.Builder
	require.NoError(t, r.Write(&page))
	return page.String()
}

// TestSample leaves the page of the sample where KIT_PAGE says, to look at.
func TestSample(t *testing.T) {
	page := pageOf(t, sample())
	if name := os.Getenv("KIT_PAGE"); name != "" {
		require.NoError(t, os.WriteFile(name, []byte(page), 0o600))
	}
}

// TestReplayed: a record that was written and read again makes the same page.
func TestReplayed(t *testing.T) {
	var record bytes.Buffer
	sink := render.NewJSON(&record)
	for _, e := range sample() {
		require.NoError(t, sink.Event(e))
	}
	r := report.New(os.DirFS("../.."))
	require.NoError(t, render.Replay(&record, r))
	var page strings.Builder
	require.NoError(t, r.Write(&page))
	require.Equal(t, pageOf(t, sample()), page.String())
}

// TestHostile: nothing that a record says is markup.
func TestHostile(t *testing.T) {
	const bad = `<script>alert("'&` + "\x00\x1b[31m\u202e\xff"
	zero := 0
	one := int64(1)
	text := []byte("package a\n\n// " + bad + "\nx(`" + bad + "`)\n")
	r := report.New(fstest.MapFS{"steps/a.go": {Data: text}})
	for _, e := range []*trace.Event{
		{V: 1, Kind: trace.Begin, Argv: []string{"kit", bad}, Kernel: bad, Cgroup: bad},
		{
			V: 1, Kind: trace.Syscall, Seq: 1, PID: 5, Side: bad, Step: 1, Name: bad, Moment: bad,
			Class: trace.Lesson, File: "steps/a.go", Line: 4, Func: bad, Code: bad, Why: bad, Call: bad,
			Args: []trace.Arg{{Name: bad, Text: bad}}, Ret: &one, RetText: bad, Errno: bad, Meaning: bad,
			Log: []string{bad}, Changes: []trace.Change{
				{What: bad, Before: bad, After: bad},
				{What: bad},
			},
			Decoded: []trace.Decoded{{What: trace.Filter, Lines: []string{"denies 1: " + bad}}},
		},
		{V: 1, Kind: trace.Note, Text: bad},
		{V: 1, Kind: trace.End, Exit: &zero, Error: bad, Hints: []string{bad}},
	} {
		require.NoError(t, r.Event(e))
	}
	var page strings.Builder
	require.NoError(t, r.Write(&page))
	require.Equal(t, 1, strings.Count(page.String(), "<script>"), "the page's own")
	require.NotContains(t, page.String(), "alert(\"")
	require.NotContains(t, page.String(), "\x00")
	require.NotContains(t, page.String(), "\x1b")
	require.NotContains(t, page.String(), "\u202e")
}
