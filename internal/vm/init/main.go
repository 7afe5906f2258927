//go:build linux

// Init is the first program of a virtual machine that runs a test.
package main

import "github.com/containerkit/kit/internal/vm/guest"

func main() { guest.Run() }
