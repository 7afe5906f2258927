//go:build linux

package lessons

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/lesson"
	"github.com/containerkit/kit/internal/lesson/markdown"
)

// TestCode: the Go code in a lesson is the code of the steps, word for word.
func TestCode(t *testing.T) {
	all, err := All()
	require.NoError(t, err)
	for _, l := range all {
		lesson.Walk(l.Blocks, func(b *lesson.Block) {
			if b.Kind != lesson.Code || b.Lang != "go" {
				return
			}
			file, name, ok := strings.Cut(b.Source, " ")
			require.True(t, ok, "%s: Go code without <!-- code: FILE NAME --> above it:\n%s", l.File, b.Code)
			source, err := os.ReadFile(filepath.Join("..", file))
			require.NoError(t, err, l.File)
			want, err := markdown.Declaration(file, source, name)
			require.NoError(t, err, l.File)
			require.Equal(t, want, b.Code, "%s: %s of %s has changed", l.File, name, file)
		})
	}
}

// TestLinks: files that a lesson leads to are there.
func TestLinks(t *testing.T) {
	all, err := All()
	require.NoError(t, err)
	for _, l := range all {
		lesson.Walk(l.Blocks, func(b *lesson.Block) {
			spans := b.Text
			for _, row := range append(b.Rows, b.Head) {
				for _, cell := range row {
					spans = append(spans, cell...)
				}
			}
			for _, s := range spans {
				if s.Link != "" && !strings.Contains(s.Link, "://") && !strings.HasPrefix(s.Link, "#") {
					path, _, _ := strings.Cut(s.Link, "#")
					require.FileExists(t, path, "%s: %s", l.File, s.Text)
				}
			}
		})
	}
}
