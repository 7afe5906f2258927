//go:build linux

package main

import (
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace"
)

// injectOption is --inject CALL:ERRNO[:N]: the Nth such lesson call fails.
type injectOption struct{}

func (o *injectOption) String() string { return "" }

func (o *injectOption) Type() string { return "CALL:ERRNO[:N]" }

// Set implements pflag.Value.
func (o *injectOption) Set(string) error { return nil }

func (o *injectOption) check(*traceOptions) error { return nil }

// hook tells what a call is to fail with, 0 for those that happen; nil without --inject.
func (o *injectOption) hook() func(*trace.Event) unix.Errno { return nil }
