// Package browser shows a page in a headless Chromium, for tests of what kit writes as HTML.
package browser

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// A Browser shows one page.
type Browser struct {
	t        *testing.T
	ctx      context.Context
	problems []string // what the page has complained of
}

// Open shows a file, at a place in it ("#e1" or none), in a window of some width, in
// pixels. The test fails if the page complains.
func Open(t *testing.T, file string, width int64, at string) *Browser {
	t.Helper()
	ktest.RequireTool(t, "chromium")
	dir := profile(t)
	path, err := findChromium()
	require.NoError(t, err)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(
		chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.Env("HOME="+dir))...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b := &Browser{t: t}
	b.ctx, _ = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {
		// It does not know all that this Chromium tells.
	}))
	t.Cleanup(func() { require.NoError(t, chromedp.Cancel(b.ctx)) })
	chromedp.ListenTarget(b.ctx, b.listen)
	b.Run(emulation.SetDeviceMetricsOverride(width, 900, 1, width < 600),
		chromedp.Navigate("file://"+file+at))
	t.Cleanup(func() { require.Empty(t, b.problems, "the page complains") })
	return b
}

func (b *Browser) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		b.problems = append(b.problems, "console: "+string(e.Type))
	case *log.EventEntryAdded:
		b.problems = append(b.problems, e.Entry.Text)
	}
}

// profile is a directory for a browser. Some of its processes write there until they are
// ended, a moment after the browser has.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "browser")
	require.NoError(t, err)
	t.Cleanup(func() {
		require.Eventually(t, func() bool { return os.RemoveAll(dir) == nil },
			10*time.Second, 50*time.Millisecond)
	})
	return dir
}

func findChromium() (string, error) {
	// Debian's /usr/bin/chromium is a script, which is in the way of ending it.
	const program = "/usr/lib/chromium/chromium"
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	return filepath.EvalSymlinks("/usr/bin/chromium")
}

// Run lets the browser do something.
func (b *Browser) Run(actions ...chromedp.Action) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Run(b.ctx, actions...))
}

// Press types keys into the page.
func (b *Browser) Press(keys string) {
	b.t.Helper()
	for _, r := range keys {
		for _, k := range kb.Encode(r) {
			switch k.Type {
			case input.KeyChar:
				continue // follows from the key, unless the page takes that for itself
			case input.KeyRawDown:
				k.Type = input.KeyDown
			}
			if k.Type == input.KeyDown && r >= ' ' && unicode.IsPrint(r) {
				k.Text = string(r)
			}
			b.Run(k)
		}
	}
}

// Say is the value of an expression in the page.
func Say[T any](b *Browser, expression string) (value T) {
	b.t.Helper()
	b.Run(chromedp.Evaluate(expression, &value))
	return value
}
