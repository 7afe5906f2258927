//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// reportOf runs kit with --report and returns the page; the command may end as it likes.
func reportOf(t *testing.T, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "r.html")
	cmd := exec.Command(ktest.Kit(t), "step", args[0], "--rootfs", ktest.Rootfs(t), "--report", file)
	cmd.Args = append(cmd.Args, args[1:]...)
	out, _ := cmd.CombinedOutput()
	page, err := os.ReadFile(file)
	require.NoError(t, err, "%s", out)
	return string(page)
}

// TestReportIsSmall: all of step 6 in less than a megabyte, with nothing to be loaded.
func TestReportIsSmall(t *testing.T) {
	ktest.Clean(t)
	page := reportOf(t, "6", "--", "/bin/true")
	require.Less(t, len(page), 1_000_000)
	require.NotRegexp(t, `(src|href)="?[^"#]|@import|url\(`, page)
	require.Contains(t, page, "denies ")
	for _, file := range []string{
		"steps/02-namespaces/namespaces.go", "steps/03-cgroups/cgroups.go", "steps/04-overlay/overlay.go",
		"steps/05-netns/netns.go", "steps/06-caps-seccomp/caps.go", "internal/container/run.go",
	} {
		require.Contains(t, page, `data-path="`+file+`"`)
	}
}

// TestReportOfHostileNames: what a command is called is text.
func TestReportOfHostileNames(t *testing.T) {
	ktest.Clean(t)
	const bad = `<script>alert("1")</script><img src=x onerror='alert(2)'>`
	page := reportOf(t, "2", "-e", "X="+bad, "-w", "/"+bad, "--", "echo", bad, `"onload="alert(3)`)
	require.Equal(t, 1, strings.Count(page, "<script"), "the page's own")
	require.NotContains(t, page, "<img")
	require.Contains(t, page, "&lt;script&gt;alert(")
}

// TestNoReportWithoutPtrace: there is nothing to report, which is said; the command runs.
func TestNoReportWithoutPtrace(t *testing.T) {
	ktest.RequireTool(t, "strace")
	file := filepath.Join(t.TempDir(), "r.html")
	out, err := exec.Command("strace", "-f", "-o", "/dev/null", ktest.Kit(t), "step", "1",
		"--rootfs", ktest.Rootfs(t), "--report", file, "--", "echo", "ran").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "kit: no report: kit itself is being traced, by process ")
	require.Contains(t, string(out), "ran\n")
	require.NoFileExists(t, file)
}
