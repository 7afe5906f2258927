package ktest

import (
	"os"
	"os/signal"
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// OwnNetwork starts the test program again in a network namespace of its own, as root:
// its bridges and rules are no business of the machine's, nor of other tests. It is for
// the beginning of TestMain.
func OwnNetwork() {
	heedSignals()
	const done = "KIT_TEST_NETWORK"
	if os.Getenv(done) != "" || os.Geteuid() != 0 {
		return
	}
	runtime.LockOSThread() // execve goes on in the namespace of this thread
	if unix.Unshare(unix.CLONE_NEWNET) != nil {
		return // an outer container's root
	}
	lo := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: "lo"}}
	if err := netlink.LinkSetUp(lo); err != nil {
		panic(err)
	}
	panic(unix.Exec("/proc/self/exe", os.Args, append(os.Environ(), done+"=1")))
}

// heedSignals keeps what the test was started to ignore, under nohup(1) or in the
// background, from the processes that it starts: a handler does not outlive execve.
func heedSignals() {
	for _, s := range []os.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}
