//go:build linux

package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// TestLongCommand sends through the gate more than it holds (socket(7),
// wmem_default), while the one who is to read it may be stopped by the observer.
func TestLongCommand(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	words := make([]string, 6)
	for i := range words {
		words[i] = strings.Repeat("x", 100_000) // one argument may have 128 KiB (execve(2))
	}
	for _, trace := range []string{"off", "steps"} {
		args := []string{
			"step", "2", "--trace=" + trace, "--format=json", "--rootfs", root, "--", "/bin/echo",
		}
		r := finish(t, exec.Command("kit", append(args, words...)...))
		require.Zero(t, r.exit, r.err)
		require.Len(t, r.out, 600_006)
	}
}
