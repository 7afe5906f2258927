package container

import _ "unsafe" // for go:linkname

// held tells that HoldStill has been called.
var held bool

// HoldStill keeps the Go runtime from making system calls of its own in this thread,
// as it does to let another goroutine run: right before execve a filter of seccomp(2)
// may deny them, and the runtime would crash. Nothing may wait from here on.
func HoldStill() {
	held = true
	procPin()
}

// letMove undoes HoldStill, for an error that is still to be told.
func letMove() {
	if held {
		held = false
		procUnpin()
	}
}

//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()
