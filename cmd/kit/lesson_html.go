//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/containerkit/kit/internal/lesson"
	"github.com/containerkit/kit/internal/lesson/site"
	"github.com/containerkit/kit/steps"
)

// writeSite writes the lessons as pages, with a report of each step that runs here.
func writeSite(dir string, list []lesson.Lesson, messages io.Writer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	reports := map[int][]site.Page{}
	for n := 1; n <= len(steps.All); n++ {
		file := site.ReportName(n)
		// A kit of its own: what a step does to a process cannot be undone.
		cmd := exec.Command("/proc/self/exe", "step", strconv.Itoa(n),
			"--report", filepath.Join(dir, file), "--trace-file", os.DevNull, "--", "true")
		cmd.Args[0] = "kit"
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(messages, "no report of step %d: %v\n%s", n, err, out)
			continue
		}
		// Pages are for others to read; a report by itself is for who made it.
		if err := os.Chmod(filepath.Join(dir, file), 0o644); err != nil {
			return err
		}
		title := fmt.Sprintf("kit step %d -- true, call by call", n)
		reports[n] = []site.Page{{File: file, Title: title}}
	}
	return site.Write(dir, list, reports)
}
