//go:build linux

package main

import (
	"errors"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// followHelp is what kit step --help says of --follow.
const followHelp = `
With --follow the trace goes on after the command's execve: it shows those calls of
the command, and of all its threads and children, that build a container, enter or
leave one: clone with namespaces, unshare, setns, mount, pivot_root, rights, cgroups,
links, execve. Each of the command's system calls then takes longer. SIGUSR1 to kit
lets the command go, and it runs on untraced.`

// checkFollow refuses what the command cannot be followed with.
func (o *traceOptions) checkFollow() error {
	if o.follow && o.trace == "off" {
		return errors.New("--follow: needs the trace: --trace=steps")
	}
	return nil
}

// letGo passes on SIGUSR1, with which the reader asks that the command be followed no
// longer, to the observed process: the observer takes it from there, in its place among
// the stops. Stop ends that, when the process has been reaped.
func (o *traceOptions) letGo(pid int) (stop func()) {
	if !o.follow {
		return func() {}
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, unix.SIGUSR1)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-asked:
				unix.Kill(pid, unix.SIGUSR1)
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}
