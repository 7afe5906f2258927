//go:build linux

package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TestMain makes this test binary the kit command of all tests: it is found in
// PATH under that name, and starts itself again as the real one does.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "kit" {
		heedSignals()
		ownNetwork()
	}
	testscript.Main(m, map[string]func(){"kit": main})
}

// TestScripts runs the scripts that specify the command line.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Condition: func(cond string) (bool, error) {
			return cond == "root" && os.Geteuid() == 0, nil
		},
	})
}

// ownNetwork starts this program again in a network namespace of its own, as root:
// the tests' bridges and rules are no business of the machine's, nor of other tests.
func ownNetwork() {
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
