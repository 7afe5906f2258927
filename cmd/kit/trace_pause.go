//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/internal/trace/pause"
	"github.com/containerkit/kit/internal/trace/render"
)

// pauseOption is --pause[=N]: stop before each lesson call, from the Nth on.
type pauseOption struct {
	from     int
	terminal *pause.Terminal
	dialog   *pause.Dialog
}

func (o *pauseOption) String() string { return "" }

func (o *pauseOption) Type() string { return "N" }

// Set implements pflag.Value.
func (o *pauseOption) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is not a number from 1 on", text)
	}
	o.from = n
	return nil
}

// check refuses what the dialog cannot be had with, and prepares it.
func (o *pauseOption) check(t *traceOptions) (err error) {
	if o.from == 0 {
		return nil
	}
	if t.trace == "off" {
		return errors.New("--pause: needs the trace: --trace=steps")
	}
	if o.terminal, err = pause.Open(); err != nil {
		return fmt.Errorf("--pause: needs a terminal; there is none to read keys from: %w", err)
	}
	color := t.colorful == "always" || t.colorful == "auto" && os.Getenv("NO_COLOR") == ""
	kind := os.Getenv("TERM")
	o.dialog = pause.New(o.terminal, pause.Options{
		From: o.from, Color: color, Dumb: kind == "dumb" || kind == "", Sources: sources{},
	})
	return nil
}

// hook waits for the reader before a call happens; nil without --pause.
func (o *pauseOption) hook() func(*trace.Event) int {
	if o.dialog == nil {
		return nil
	}
	return o.dialog.Pause
}

// sink lets the dialog see what goes to next, which writes to out. A trace that goes
// elsewhere is shown at the terminal too: there is no point in stopping otherwise.
func (o *pauseOption) sink(next trace.Sink, out *os.File, t *traceOptions) trace.Sink {
	if o.dialog == nil {
		return next
	}
	if o.terminal.Same(out) {
		return o.dialog.Sink(next, t.format == "text")
	}
	color := t.colorful == "always" || t.colorful == "auto" && os.Getenv("NO_COLOR") == ""
	columns, _ := o.terminal.Size()
	text := render.NewText(o.terminal, render.TextOptions{
		Verbosity: t.verbosity, Width: min(columns, 120), Color: color,
	})
	return pause.Both(next, o.dialog.Sink(text, true))
}
