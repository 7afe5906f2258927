package site_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/ktest/browser"
	"github.com/containerkit/kit/internal/lesson/site"
	"github.com/containerkit/kit/lessons"
)

// pages writes the course, and returns where.
func pages(t *testing.T) (dir string) {
	t.Helper()
	all, err := lessons.All()
	require.NoError(t, err)
	dir = ktest.PublicDir(t)
	require.NoError(t, site.Write(dir, all, nil))
	return dir
}

// TestBrowserCourse clicks its way from the first page through all lessons and back.
func TestBrowserCourse(t *testing.T) {
	all, err := lessons.All()
	require.NoError(t, err)
	b := browser.Open(t, filepath.Join(pages(t), "index.html"), 1200, "")
	heading := "document.querySelector('h1').innerText"
	b.Run(chromedp.Click(".lessons a", chromedp.ByQuery), chromedp.WaitReady("nav", chromedp.ByQuery))
	for i := range all {
		require.Equal(t, all[i].Title, browser.Say[string](b, heading))
		if i+1 < len(all) {
			next := browser.Say[string](b, "document.querySelector('a[rel=next]').href")
			b.Run(chromedp.Click("a[rel=next]", chromedp.ByQuery),
				chromedp.WaitReady("nav", chromedp.ByQuery))
			require.Equal(t, next, browser.Say[string](b, "location.href"))
		}
	}
	require.False(t, browser.Say[bool](b, "!!document.querySelector('a[rel=next]')"))
	b.Run(chromedp.Click("a[href='index.html']", chromedp.ByQuery),
		chromedp.WaitReady(".lessons", chromedp.ByQuery))
	const items = "document.querySelectorAll('.lessons > li').length"
	require.Len(t, all, browser.Say[int](b, items))
}

// TestBrowserFolds: what is folded opens by mouse and by key, and is there on paper.
func TestBrowserFolds(t *testing.T) {
	b := browser.Open(t, filepath.Join(pages(t), "01-chroot.html"), 1200, "")
	const inside = "document.querySelector('details > :not(summary)').checkVisibility()"
	require.False(t, browser.Say[bool](b, inside))
	b.Run(chromedp.Click("summary", chromedp.ByQuery))
	require.True(t, browser.Say[bool](b, inside))
	b.Press(" ")
	require.False(t, browser.Say[bool](b, inside))
	b.Run(emulation.SetEmulatedMedia().WithMedia("print"))
	require.True(t, browser.Say[bool](b, inside), "on paper")
}

// TestBrowserWidths: nothing is beside the page, on a telephone either, and what a
// block of code cannot show it scrolls.
func TestBrowserWidths(t *testing.T) {
	dir := pages(t)
	files, err := filepath.Glob(filepath.Join(dir, "*.html"))
	require.NoError(t, err)
	for _, width := range []int64{360, 1400} {
		b := browser.Open(t, filepath.Join(dir, "index.html"), width, "")
		for _, file := range files {
			b.Run(chromedp.Navigate("file://" + file))
			b.Run(chromedp.Evaluate("document.querySelectorAll('details').forEach(d => d.open = true)", nil))
			got := browser.Say[int64](b, "document.documentElement.scrollWidth")
			require.LessOrEqual(t, got, width, file)
		}
	}
}

// TestBrowserThemes: text stands out from what is behind it (WCAG 2.1: 4.5 to 1).
func TestBrowserThemes(t *testing.T) {
	b := browser.Open(t, filepath.Join(pages(t), "06-caps-seccomp.html"), 1200, "")
	script, err := os.ReadFile("testdata/contrast.js")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, theme := range []string{"light", "dark"} {
		b.Run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: theme},
		}))
		seen[browser.Say[string](b, "getComputedStyle(document.body).backgroundColor")] = true
		require.Empty(t, browser.Say[string](b, string(script)), theme)
	}
	require.Len(t, seen, 2, "a light page and a dark one")
}
