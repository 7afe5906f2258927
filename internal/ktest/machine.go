package ktest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// machine is held by the tests of this process that look at the whole machine. go test
// runs the tests of several packages at once; some of them use the same names, which
// cgroups have only once, and each would find what the others have not removed yet.
var machine struct {
	sync.Mutex
	held int
	lock *os.File
}

var lockFile = filepath.Join(os.TempDir(), fmt.Sprintf("kit-test-%d.lock", os.Geteuid()))

// heldMachine tells the processes that a test starts, which are its workers, that the
// machine is theirs already.
const heldMachine = "KIT_TEST_MACHINE"

// haveMachine waits for the tests of other processes, and has them wait until this test
// is over.
func haveMachine(t testing.TB) {
	t.Helper()
	machine.Lock()
	defer machine.Unlock()
	if machine.held == 0 {
		if os.Getenv(heldMachine) != "" {
			return
		}
		require.NoError(t, os.Setenv(heldMachine, "1"))
		f, err := os.OpenFile(lockFile, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
		require.NoError(t, err)
		require.NoError(t, unix.Flock(int(f.Fd()), unix.LOCK_EX))
		machine.lock = f
	}
	machine.held++
	t.Cleanup(func() {
		machine.Lock()
		defer machine.Unlock()
		if machine.held--; machine.held == 0 {
			_ = os.Unsetenv(heldMachine)
			machine.lock.Close()
		}
	})
}
