//go:build linux

package main

import (
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/ktest/browser"
)

// TestCoursePages: in a browser the course leads to the reports of the steps.
func TestCoursePages(t *testing.T) {
	dir := filepath.Join(ktest.PublicDir(t), "site")
	r := runKit(t, "lesson", "--html", dir)
	require.Zero(t, r.exit, r.err)
	require.Empty(t, r.err, "a report of each step")
	b := browser.Open(t, filepath.Join(dir, "index.html"), 1200, "")
	const reports = `[...document.querySelectorAll("a[href^=step-]")].map(a => a.href)`
	links := browser.Say[[]string](b, reports)
	require.Len(t, links, 6)
	for _, link := range links {
		b.Run(chromedp.Navigate(link))
		require.Contains(t, browser.Say[string](b, "document.title"), "kit step")
		require.NotZero(t, browser.Say[int](b, `document.querySelectorAll("figure svg").length`))
	}
}
