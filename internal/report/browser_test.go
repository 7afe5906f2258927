package report_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/ktest/browser"
)

// open shows a page, given as HTML.
func open(t *testing.T, page string, width int64, at string) *browser.Browser {
	t.Helper()
	file := filepath.Join(ktest.PublicDir(t), "report.html")
	require.NoError(t, os.WriteFile(file, []byte(page), 0o600))
	return browser.Open(t, file, width, at)
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
	require.Equal(t, "timeline", browser.Say[string](b, view))
	require.Equal(t, "e1", browser.Say[string](b, chosen), "the first that changed something")
	b.Press("j")
	require.Equal(t, "e3", browser.Say[string](b, chosen))
	require.Equal(t, "#e3", browser.Say[string](b, "location.hash"))
	b.Press(kb.ArrowDown)
	require.Equal(t, "e4", browser.Say[string](b, chosen))
	b.Press("j") // there are no more
	b.Press("k")
	require.Equal(t, "e3", browser.Say[string](b, chosen))
	require.Contains(t, browser.Say[string](b, panel), "Injected: the kernel was not asked.")
	b.Press("g")
	require.Equal(t, "e1", browser.Say[string](b, chosen))
	b.Press("G")
	require.Equal(t, "e4", browser.Say[string](b, chosen))
	b.Press("/")
	require.Equal(t, "find", browser.Say[string](b, "document.activeElement.id"))
	b.Press("mkdirat jkc")
	require.Equal(t, "mkdirat jkc", browser.Say[string](b, "document.activeElement.value"))
	b.Press(kb.Escape)
	b.Press("?")
	require.True(t, browser.Say[bool](b, "document.getElementById('help').open"))
	b.Press(kb.Escape)
	require.False(t, browser.Say[bool](b, "document.getElementById('help').open"))
	for i, name := range []string{
		"timeline", "processes", "mounts", "cgroups", "network", "capabilities", "filter", "source",
	} {
		b.Press(string(rune('1' + i)))
		require.Eventually(t, func() bool { return browser.Say[string](b, view) == name },
			5*time.Second, 10*time.Millisecond, name)
	}
	dark := "getComputedStyle(document.documentElement).colorScheme"
	before := browser.Say[string](b, dark)
	b.Press("t")
	require.NotEqual(t, before, browser.Say[string](b, dark))
	b.Press("t")
	require.Equal(t, before, browser.Say[string](b, dark))
}

// TestBrowserPanel: what is chosen is told in full, with its source.
func TestBrowserPanel(t *testing.T) {
	b := open(t, pageOf(t, sample()), 1400, "#e1")
	text := browser.Say[string](b, panel)
	for _, part := range []string{
		"#1", "steps/03-cgroups/parent.go:41", "A directory is all that a cgroup takes",
		`mkdirat(pathname: "/sys/fs/cgroup/pids/kit-1f3a") = 0`, "pids.max tasks",
	} {
		require.Contains(t, text, part)
	}
	b.Run(chromedp.WaitReady(".excerpt .exec", chromedp.ByQuery))
	const executed = "document.querySelector('.excerpt .exec').innerText"
	require.Regexp(t, `^41\s`, browser.Say[string](b, executed))
	require.Equal(t, "#e1", browser.Say[string](b, "location.hash"))
	// A call that is not of the lesson is shown to those who have its address.
	b = open(t, pageOf(t, sample()), 1400, "#e2")
	require.Contains(t, browser.Say[string](b, panel), "futex")
}

// TestBrowserFilters: each filter leaves what it should, and says how many.
func TestBrowserFilters(t *testing.T) {
	b := open(t, pageOf(t, sample()), 1400, "")
	require.Equal(t, "e1 e3 e4", browser.Say[string](b, shown))
	click := func(selector, want string) {
		t.Helper()
		b.Run(chromedp.Evaluate("document.querySelector('"+selector+"').click()", nil))
		require.Equal(t, want, browser.Say[string](b, shown), selector)
	}
	click("#changed", "e1")
	require.Equal(t, "1 call", browser.Say[string](b, "document.getElementById('shown').value"))
	click("#changed", "e1 e3 e4")
	click("input[name=side][value=parent]", "e3 e4")
	click("input[name=side][value=parent]", "e1 e3 e4")
	click("input[name=step][value=\"6\"]", "e1 e3")
	click("input[name=step][value=\"6\"]", "e1 e3 e4")
	click("input[name=class][value=lesson]", "")
	require.True(t, browser.Say[bool](b, "document.querySelector('.none').offsetParent !== null"))
	click("input[name=class][value=runtime]", "") // the row of such calls has no id of its own
	require.Equal(t, "1 call", browser.Say[string](b, "document.getElementById('shown').value"))
	click("input[name=class][value=lesson]", "e1  e3 e4")
	click("input[name=class][value=runtime]", "e1 e3 e4")
	b.Press("/")
	b.Press("EPERM mount")
	require.Equal(t, "e3 e4", browser.Say[string](b, shown), "the filter denies mount with EPERM")
	b.Press(" injected")
	require.Equal(t, "e3", browser.Say[string](b, shown))
}

// TestBrowserPictures: each has a title and a description that are read out, and the same
// in words; moments are chosen.
func TestBrowserPictures(t *testing.T) {
	b := open(t, pageOf(t, sample()), 1400, "#processes")
	require.Equal(t, 5*3+1, browser.Say[int](b, "document.querySelectorAll('figure svg').length"))
	require.Empty(t, browser.Say[string](b, `[...document.querySelectorAll("figure")].filter(f => {
		const svg = f.querySelector("svg"), ids = svg.getAttribute("aria-labelledby").split(" ");
		return svg.getAttribute("role") !== "img" || ids.length !== 2 ||
			ids.some(id => !document.getElementById(id).textContent.trim()) ||
			!f.querySelector("details.words :is(td, li)");
	}).map(f => f.id).join(" ")`), "pictures without words")
	require.Empty(t, browser.Say[string](b, `[...document.querySelectorAll("[id]")].map(e => e.id)
		.filter((id, i, all) => all.indexOf(id) !== i).join(" ")`), "ids that are there twice")
	on := `[...document.querySelectorAll(".view.current figure.shown")].map(f => f.id).join(" ")`
	require.Equal(t, "processes-1", browser.Say[string](b, on), "as the command begins")
	b.Press("]")
	require.Equal(t, "processes-2", browser.Say[string](b, on))
	b.Press("[[[")
	require.Equal(t, "processes-0", browser.Say[string](b, on))
	// No text runs out of its picture.
	b.Press("]")
	for _, name := range []string{
		"processes", "mounts", "cgroups", "network", "capabilities", "filter",
	} {
		b.Run(chromedp.Evaluate("location.hash = '"+name+"'", nil))
		require.Eventually(t, func() bool { return browser.Say[string](b, view) == name },
			5*time.Second, 10*time.Millisecond, name)
		require.Empty(t, browser.Say[string](b, `[...document.querySelectorAll(".view.current svg")]
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
			b.Run(chromedp.Evaluate("location.hash = '"+name+"'", nil))
			got := browser.Say[int64](b, "document.documentElement.scrollWidth")
			require.LessOrEqual(t, got, width, name)
		}
		b.Run(chromedp.Evaluate("document.getElementById('e1').click()", nil))
		below := browser.Say[bool](b, "document.getElementById('e1').nextElementSibling?.id === 'panel'")
		require.Equal(t, width <= 900, below, width)
	}
}

// TestBrowserPrint: on paper stand all calls of the lesson and all pictures, whatever was
// filtered, and no controls.
func TestBrowserPrint(t *testing.T) {
	b := open(t, pageOf(t, sample()), 1000, "")
	b.Run(chromedp.Evaluate("document.querySelector('#changed').click()", nil),
		emulation.SetEmulatedMedia().WithMedia("print"))
	visible := func(selector string) int {
		return browser.Say[int](b, `[...document.querySelectorAll("`+selector+`")]
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
	b.Run(emulation.SetScriptExecutionDisabled(true), chromedp.Reload())
	var text string
	b.Run(chromedp.Text("body", &text))
	for _, part := range []string{
		"kit step 6 -- /bin/true", "A directory is all that a cgroup takes", "pids.max tasks",
		"mkdirat", "futex", "Mounts", "denies 70 with EPERM",
	} {
		require.Contains(t, text, part)
	}
	require.NotContains(t, text, "Search")
}
