//go:build linux

package main

// reportOption is --report FILE.html.
type reportOption struct{ file string }

func (o *reportOption) check(*traceOptions) error { return nil }
