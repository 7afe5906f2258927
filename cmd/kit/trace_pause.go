//go:build linux

package main

import (
	"fmt"
	"strconv"

	"github.com/containerkit/kit/internal/trace"
)

// pauseOption is --pause[=N]: stop before each lesson call, from the Nth on.
type pauseOption struct{ from int }

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

func (o *pauseOption) check(*traceOptions) error { return nil }

// hook waits for the reader before a call happens; nil without --pause.
func (o *pauseOption) hook() func(*trace.Event) { return nil }
