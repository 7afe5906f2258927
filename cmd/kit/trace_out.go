//go:build linux

package main

import (
	"bytes"
	"io"
	"os"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// A traceTerminal takes lines for a terminal that may be in raw mode by then: with -t,
// while the command's own terminal begins. A new line would start below the end of the
// last one there.
type traceTerminal struct{ *os.File }

// linesTo is how lines are written to f.
func linesTo(f *os.File) io.Writer {
	if !term.IsTerminal(int(f.Fd())) {
		return f
	}
	return traceTerminal{f}
}

// Write implements io.Writer.
func (r traceTerminal) Write(b []byte) (int, error) {
	mode, err := unix.IoctlGetTermios(int(r.Fd()), unix.TCGETS)
	if err != nil || mode.Oflag&unix.OPOST != 0 {
		return r.File.Write(b)
	}
	if _, err := r.File.Write(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(b), nil
}
