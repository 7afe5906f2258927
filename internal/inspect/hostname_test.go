package inspect

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// threads are those in which apart calls, as seen from the first thread: main runs in it.
var threads []int

func TestMain(m *testing.M) {
	for range 20 {
		apart(func() { threads = append(threads, unix.Gettid()) })
	}
	os.Exit(m.Run())
}

// TestApart: the first thread, whose namespaces are what others see of a process, is
// never used up.
func TestApart(t *testing.T) {
	require.Len(t, threads, 20)
	require.NotContains(t, threads, os.Getpid())
}
