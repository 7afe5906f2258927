//go:build linux

package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// TestWithoutPtrace: a kit that is traced itself cannot trace. It says so, shows
// the source in place of the trace, and runs the command all the same.
func TestWithoutPtrace(t *testing.T) {
	ktest.RequireTool(t, "strace")
	cmd := exec.Command("strace", "-f", "-o", "/dev/null",
		"kit", "step", "1", "--rootfs", ktest.Rootfs(t), "--", "/bin/sh", "-c", "echo ran; exit 3")
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	var status *exec.ExitError
	require.ErrorAs(t, cmd.Run(), &status)
	require.Equal(t, 3, status.ExitCode())
	require.Equal(t, "ran\n", out.String())
	require.Contains(t, errs.String(), "kit: no trace: kit itself is being traced, by process ")
	require.Contains(t, errs.String(), "From here on the kernel starts every absolute path")
}
