package site_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/containerkit/kit/internal/lesson"
	"github.com/containerkit/kit/internal/lesson/site"
	"github.com/containerkit/kit/lessons"
)

// TestSite: every lesson has its page, every link between pages leads somewhere, and
// nothing is fetched from elsewhere.
func TestSite(t *testing.T) {
	all, err := lessons.All()
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, site.ReportName(1)), nil, 0o644))
	report := site.Page{File: site.ReportName(1), Title: "step 1, call by call"}
	require.NoError(t, site.Write(dir, all, map[int][]site.Page{0: {report}}))
	pages, err := filepath.Glob(filepath.Join(dir, "*.html"))
	require.NoError(t, err)
	require.Len(t, pages, len(all)+2)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		root, err := html.Parse(strings.NewReader(string(text)))
		require.NoError(t, err)
		for n := range root.Descendants() {
			require.NotContains(t, []string{"script", "img", "link", "iframe"}, n.Data, page)
			for _, a := range n.Attr {
				if a.Key != "href" || strings.Contains(a.Val, "://") {
					continue
				}
				file, place, _ := strings.Cut(a.Val, "#")
				require.FileExists(t, filepath.Join(dir, file), page)
				require.Empty(t, place, "%s: no place in a page is led to yet", page)
			}
		}
	}
}

// TestHostile: what a lesson quotes is text, whatever it looks like.
func TestHostile(t *testing.T) {
	evil := `<script>"&'</script>`
	span := []lesson.Span{{Text: evil, Style: lesson.Literal, Link: `https://x/"onclick="y`}}
	l := lesson.Lesson{File: "00-x.md", Title: evil, Blocks: []lesson.Block{
		{Kind: lesson.Heading, Level: 1, Text: span},
		{Kind: lesson.Code, Lang: "console", Code: "$ " + evil + "\n" + evil + "\n"},
		{Kind: lesson.Table, Head: [][]lesson.Span{span}, Rows: [][][]lesson.Span{{span}}},
		{Kind: lesson.Details, Text: span, Blocks: []lesson.Block{{Kind: lesson.Paragraph, Text: span}}},
	}}
	dir := t.TempDir()
	require.NoError(t, site.Write(dir, []lesson.Lesson{l}, nil))
	for _, name := range []string{"00-x.html", "index.html"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.NotContains(t, string(text), "<script", name)
		require.NotContains(t, string(text), `"onclick`, name)
	}
}
