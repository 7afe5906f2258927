// Package lab has small loads to run in a container and outside of it: a server,
// a busy loop, memory that is used, processes that are there.
//
// They are made for tight limits. A Go program has some five threads, and the
// runtime ends the program where it cannot have one more; so nothing here starts a
// thread once the program runs, and signals need none.
package lab

import (
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// Prepare makes this process small and easy to end: SIGTERM, SIGINT and SIGHUP end
// it at once with status 128+N, also as PID 1, for which they do nothing by themselves.
func Prepare() error {
	runtime.GOMAXPROCS(1)
	// The collector would start threads for what is never garbage here.
	debug.SetGCPercent(-1)
	return endOn(unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
}

// Wait waits for a signal to end the process.
func Wait() {
	for {
		_, _ = unix.Ppoll(nil, nil, nil) // EINTR: the runtime's own signals
	}
}
