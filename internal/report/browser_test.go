package report_test

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

// A browser shows one page, in a headless Chromium.
type browser struct {
	t        *testing.T
	ctx      context.Context
	file     string
	problems []string // what the page has complained of
}

// open shows a page, given as HTML, in a window of some width.
func open(t *testing.T, page string, width int64, at string) *browser {
	t.Helper()
	ktest.RequireTool(t, "chromium")
	dir := profile(t)
	b := &browser{t: t, file: filepath.Join(dir, "report.html")}
	require.NoError(t, os.WriteFile(b.file, []byte(page), 0o600))
	path, err := findChromium()
	require.NoError(t, err)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(
		chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.Env("HOME="+dir))...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b.ctx, _ = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {
		// It does not know all that this Chromium tells.
	}))
	t.Cleanup(func() { require.NoError(t, chromedp.Cancel(b.ctx)) })
	chromedp.ListenTarget(b.ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.problems = append(b.problems, e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			b.problems = append(b.problems, "console: "+string(e.Type))
		case *log.EventEntryAdded:
			b.problems = append(b.problems, e.Entry.Text)
		}
	})
	b.run(emulation.SetDeviceMetricsOverride(width, 900, 1, width < 600),
		chromedp.Navigate("file://"+b.file+at))
	t.Cleanup(func() { require.Empty(t, b.problems, "the page complains") })
	return b
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

func (b *browser) run(actions ...chromedp.Action) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Run(b.ctx, actions...))
}

// press types keys into the page.
func (b *browser) press(keys string) {
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
			b.run(k)
		}
	}
}

// say is the value of an expression in the page.
func say[T any](b *browser, expression string) (value T) {
	b.t.Helper()
	b.run(chromedp.Evaluate(expression, &value))
	return value
}

const (
	chosen = "document.querySelector('.now')?.id ?? ''"
	shown  = "[...document.querySelectorAll('#list .e:not([hidden])')].map(e => e.id).join(' ')"
	panel  = "document.getElementById('panel').innerText"
	view   = "document.querySelector('.view.current').id"
)

// TestBrowserKeys walks through the page with keys alone.
func TestBrowserKeys(t *testing.T) {
	b := open(t, pageOf(t, sample()), 1400, "")
	require.Equal(t, "timeline", say[string](b, view))
	require.Equal(t, "e1", say[string](b, chosen), "the first that changed something")
	b.press("j")
	require.Equal(t, "e3", say[string](b, chosen))
	require.Equal(t, "#e3", say[string](b, "location.hash"))
	b.press(kb.ArrowDown)
	require.Equal(t, "e4", say[string](b, chosen))
	b.press("j") // there are no more
	b.press("k")
	require.Equal(t, "e3", say[string](b, chosen))
	require.Contains(t, say[string](b, panel), "Injected: the kernel was not asked.")
	b.press("g")
	require.Equal(t, "e1", say[string](b, chosen))
	b.press("G")
	require.Equal(t, "e4", say[string](b, chosen))
	b.press("/")
	require.Equal(t, "find", say[string](b, "document.activeElement.id"))
	b.press("mkdirat jkc")
	require.Equal(t, "mkdirat jkc", say[string](b, "document.activeElement.value"))
	b.press(kb.Escape)
	b.press("?")
	require.True(t, say[bool](b, "document.getElementById('help').open"))
	b.press(kb.Escape)
	require.False(t, say[bool](b, "document.getElementById('help').open"))
	for i, name := range []string{
		"timeline", "processes", "mounts", "cgroups", "network", "capabilities", "filter", "source",
	} {
		b.press(string(rune('1' + i)))
		require.Eventually(t, func() bool { return say[string](b, view) == name },
			5*time.Second, 10*time.Millisecond, name)
	}
	dark := "getComputedStyle(document.documentElement).colorScheme"
	before := say[string](b, dark)
	b.press("t")
	require.NotEqual(t, before, say[string](b, dark))
	b.press("t")
	require.Equal(t, before, say[string](b, dark))
}

// TestBrowserPanel: what is chosen is told in full, with its source.
func TestBrowserPanel(t *testing.T) {
	b := open(t, pageOf(t, sample()), 1400, "#e1")
	text := say[string](b, panel)
	for _, part := range []string{
		"#1", "steps/03-cgroups/parent.go:41", "A directory is all that a cgroup takes",
		`mkdirat(pathname: "/sys/fs/cgroup/pids/kit-1f3a") = 0`, "pids.max tasks",
	} {
		require.Contains(t, text, part)
	}
	b.run(chromedp.WaitReady(".excerpt .exec", chromedp.ByQuery))
	require.Regexp(t, `^41\s`, say[string](b, "document.querySelector('.excerpt .exec').innerText"))
	require.Equal(t, "#e1", say[string](b, "location.hash"))
	// A call that is not of the lesson is shown to those who have its address.
	b = open(t, pageOf(t, sample()), 1400, "#e2")
	require.Contains(t, say[string](b, panel), "futex")
}

// TestBrowserFilters: each filter leaves what it should, and says how many.
func TestBrowserFilters(t *testing.T) {
	b := open(t, pageOf(t, sample()), 1400, "")
	require.Equal(t, "e1 e3 e4", say[string](b, shown))
	click := func(selector, want string) {
		t.Helper()
		b.run(chromedp.Evaluate("document.querySelector('"+selector+"').click()", nil))
		require.Equal(t, want, say[string](b, shown), selector)
	}
	click("#changed", "e1")
	require.Equal(t, "1 call", say[string](b, "document.getElementById('shown').value"))
	click("#changed", "e1 e3 e4")
	click("input[name=side][value=parent]", "e3 e4")
	click("input[name=side][value=parent]", "e1 e3 e4")
	click("input[name=step][value=\"6\"]", "e1 e3")
	click("input[name=step][value=\"6\"]", "e1 e3 e4")
	click("input[name=class][value=lesson]", "")
	require.True(t, say[bool](b, "document.querySelector('.none').offsetParent !== null"))
	click("input[name=class][value=runtime]", "") // the row of such calls has no id of its own
	require.Equal(t, "1 call", say[string](b, "document.getElementById('shown').value"))
	click("input[name=class][value=lesson]", "e1  e3 e4")
	click("input[name=class][value=runtime]", "e1 e3 e4")
	b.press("/")
	b.press("EPERM mount")
	require.Equal(t, "e3 e4", say[string](b, shown), "the filter denies mount with EPERM")
	b.press(" injected")
	require.Equal(t, "e3", say[string](b, shown))
}

// TestBrowserPictures: each has a title and a description that are read out, and the same
// in words; moments are chosen.
func TestBrowserPictures(t *testing.T) {
	b := open(t, pageOf(t, sample()), 1400, "#processes")
	require.Equal(t, 5*3+1, say[int](b, "document.querySelectorAll('figure svg').length"))
	require.Empty(t, say[string](b, `[...document.querySelectorAll("figure")].filter(f => {
		const svg = f.querySelector("svg"), ids = svg.getAttribute("aria-labelledby").split(" ");
		return svg.getAttribute("role") !== "img" || ids.length !== 2 ||
			ids.some(id => !document.getElementById(id).textContent.trim()) ||
			!f.querySelector("details.words :is(td, li)");
	}).map(f => f.id).join(" ")`), "pictures without words")
	require.Empty(t, say[string](b, `[...document.querySelectorAll("[id]")].map(e => e.id)
		.filter((id, i, all) => all.indexOf(id) !== i).join(" ")`), "ids that are there twice")
	on := `[...document.querySelectorAll(".view.current figure.shown")].map(f => f.id).join(" ")`
	require.Equal(t, "processes-1", say[string](b, on), "as the command begins")
	b.press("]")
	require.Equal(t, "processes-2", say[string](b, on))
	b.press("[[[")
	require.Equal(t, "processes-0", say[string](b, on))
	// No text runs out of its picture.
	b.press("]")
	for _, name := range []string{
		"processes", "mounts", "cgroups", "network", "capabilities", "filter",
	} {
		b.run(chromedp.Evaluate("location.hash = '"+name+"'", nil))
		require.Eventually(t, func() bool { return say[string](b, view) == name },
			5*time.Second, 10*time.Millisecond, name)
		require.Empty(t, say[string](b, `[...document.querySelectorAll(".view.current svg")]
			.filter(s => s.getBoundingClientRect().width > 0).flatMap(s => [...s.querySelectorAll("text")]
			.filter(t => t.getBoundingClientRect().right > s.getBoundingClientRect().right + 1)
			.map(t => t.textContent)).join("\n")`), name)
	}
}

// TestBrowserNarrow: on a telephone nothing is beside the page, and the chosen event is
// told below its line.
func TestBrowserNarrow(t *testing.T) {
	for _, width := range []int64{360, 390, 480, 800, 1400} {
		b := open(t, pageOf(t, sample()), width, "#e1")
		for _, name := range []string{
			"e1", "processes", "mounts", "cgroups", "network", "capabilities", "filter", "source",
		} {
			b.run(chromedp.Evaluate("location.hash = '"+name+"'", nil))
			require.LessOrEqual(t, say[int64](b, "document.documentElement.scrollWidth"), width, name)
		}
		b.run(chromedp.Evaluate("document.getElementById('e1').click()", nil))
		below := say[bool](b, "document.getElementById('e1').nextElementSibling?.id === 'panel'")
		require.Equal(t, width <= 900, below, width)
	}
}

// TestBrowserPrint: on paper stand all calls of the lesson and all pictures, whatever was
// filtered, and no controls.
func TestBrowserPrint(t *testing.T) {
	b := open(t, pageOf(t, sample()), 1000, "")
	b.run(chromedp.Evaluate("document.querySelector('#changed').click()", nil),
		emulation.SetEmulatedMedia().WithMedia("print"))
	visible := func(selector string) int {
		return say[int](b, `[...document.querySelectorAll("`+selector+`")]
			.filter(e => e.getBoundingClientRect().height > 0).length`)
	}
	require.Equal(t, 3, visible(".e.lesson"))
	require.Equal(t, 16, visible("figure svg"))
	require.Equal(t, 3, visible(".e.lesson + .none, .st .at"))
	require.Zero(t, visible(".controls, nav, .panel, .e.runtime, #source"))
}

// TestBrowserWithoutScript: the page says the same where no script runs.
func TestBrowserWithoutScript(t *testing.T) {
	b := open(t, pageOf(t, sample()), 1400, "")
	b.run(emulation.SetScriptExecutionDisabled(true), chromedp.Reload())
	var text string
	b.run(chromedp.Text("body", &text))
	for _, part := range []string{
		"kit step 6 -- /bin/true", "A directory is all that a cgroup takes", "pids.max tasks",
		"mkdirat", "futex", "Mounts", "denies 70 with EPERM",
	} {
		require.Contains(t, text, part)
	}
	require.NotContains(t, text, "Search")
}
