//go:build linux

package lessons

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/lesson"
	"github.com/containerkit/kit/internal/lesson/markdown"
	"github.com/containerkit/kit/internal/lesson/site"
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

// TestLinks: what a lesson leads to is there, file and heading.
func TestLinks(t *testing.T) {
	all, err := All()
	require.NoError(t, err)
	places := map[string]bool{}
	for _, l := range all {
		places[l.File] = true
		lesson.Walk(l.Blocks, func(b *lesson.Block) {
			if b.Kind == lesson.Heading {
				places[l.File+"#"+site.Anchor(text(b))] = true
			}
		})
	}
	check := func(from, link string) {
		if strings.Contains(link, "://") {
			return
		}
		if strings.HasPrefix(link, "#") {
			link = from + link
		}
		if path, _, _ := strings.Cut(link, "#"); places[path] {
			require.Contains(t, places, link, from)
			return
		}
		require.FileExists(t, link, from)
	}
	for _, l := range all {
		lesson.Walk(l.Blocks, func(b *lesson.Block) {
			spans := b.Text
			for _, row := range append(b.Rows, b.Head) {
				for _, cell := range row {
					spans = append(spans, cell...)
				}
			}
			for _, s := range spans {
				if s.Link != "" {
					check(l.File, s.Link)
				}
			}
		})
	}
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	links := regexp.MustCompile(`\]\(([^)]*)\)`)
	for _, link := range links.FindAllStringSubmatch(string(readme), -1) {
		check("README.md", link[1])
	}
}

func text(b *lesson.Block) (all string) {
	for _, s := range b.Text {
		all += s.Text
	}
	return all
}
