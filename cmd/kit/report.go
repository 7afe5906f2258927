//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/hint"
	"github.com/containerkit/kit/rootfs"
)

// report prints an error, and below it what to do about it.
func report(err error) { tellAll(container.Report{Errors: inWords(err)}) }

// note tells the user what has been noticed on the way.
func note(notes []string) { tellAll(container.Report{Notes: notes}) }

// tellAll prints a line for each note, and for each error, with its hints below.
func tellAll(r container.Report) {
	for _, n := range r.Notes {
		fmt.Fprintf(os.Stderr, "kit: %s\n", n)
	}
	for _, e := range r.Errors {
		fmt.Fprintf(os.Stderr, "kit: %s\n", e.Text)
		for _, h := range e.Hints {
			fmt.Fprintf(os.Stderr, "hint: %s\n", h)
		}
	}
}

// tellUntraced says why there is no trace, and what there is instead.
func tellUntraced(err error, instead string) {
	tellAll(container.Report{Errors: []*container.Told{
		{Text: "no trace: " + err.Error() + instead, Hints: hint.Untraced(err)},
	}})
}

// inWords puts an error into words, one for each of those that it joins. The hints are
// found in the process in which it happened: that of another is in words already.
func inWords(err error) (list []*container.Told) {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var texts []string
		for _, e := range joined.Unwrap() {
			list, texts = append(list, inWords(e)...), append(texts, e.Error())
		}
		if err.Error() == strings.Join(texts, "\n") { // errors.Join
			return list
		}
	}
	if t := (*container.Told)(nil); errors.As(err, &t) {
		return []*container.Told{t}
	}
	return []*container.Told{{Text: err.Error(), Hints: hints(err)}}
}

// hints are what to do about an error.
func hints(err error) []string {
	hints := hint.For(err)
	if e := (*rootfs.Error)(nil); errors.As(err, &e) {
		hints = e.Hints
	}
	_, missing := os.Stat("/proc/self")
	file := (*fs.PathError)(nil)
	if missing != nil && errors.As(err, &file) && strings.HasPrefix(file.Path, "/proc/") {
		hints = append(hints, "kit needs /proc, which step 1 does not give: mount -t proc proc /proc")
	}
	return hints
}
