package report_test

import (
	"bytes"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/report"
	"github.com/containerkit/kit/internal/trace/render"
)

// FuzzReport makes a page of any record.
func FuzzReport(f *testing.F) {
	var record bytes.Buffer
	sink := render.NewJSON(&record)
	for _, e := range sample() {
		require.NoError(f, sink.Event(e))
	}
	lines := bytes.SplitAfter(record.Bytes(), []byte("\n"))
	f.Add(record.Bytes())
	f.Add(bytes.Join(lines[:min(4, len(lines))], nil))
	sources := os.DirFS("../..")
	f.Fuzz(func(t *testing.T, text []byte) {
		r := report.New(sources)
		_ = render.Replay(bytes.NewReader(text), r)
		if !r.Empty() {
			require.NoError(t, r.Write(io.Discard))
		}
	})
}
