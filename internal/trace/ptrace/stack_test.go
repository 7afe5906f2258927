package ptrace

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestWordAtTheEndOfMemory takes a frame pointer for what it may be: any number.
func TestWordAtTheEndOfMemory(t *testing.T) {
	s := &Stack{base: 0x1000, n: window}
	for _, addr := range []uint64{^uint64(0), ^uint64(0) - 7, ^uint64(0) - 8, 0, 8} {
		require.Zero(t, s.word(unix.Getpid(), addr))
		s.base, s.n = 0x1000, window
	}
}
