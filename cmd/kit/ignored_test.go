//go:build linux

package main

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// TestIgnoredStaysIgnored starts kit as nohup(1) does. The command sees what it
// ignores itself: the lowest bit is SIGHUP (proc_pid_status(5)).
func TestIgnoredStaysIgnored(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for _, trace := range []string{"off", "steps"} {
		r := finish(t, exec.Command("/bin/sh", "-c", `trap "" HUP
exec kit step 2 --trace=$0 --rootfs "$1" -- /bin/sh -c '
	while read name value; do [ $name = SigIgn: ] && echo $value; done </proc/self/status'`,
			trace, root))
		require.Regexp(t, "[13579bdf]\n$", r.out, r.err)
	}
}

// TestReaderOfTheTraceGoes lets nobody read the trace any more: the command is
// not to suffer.
func TestReaderOfTheTraceGoes(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	out, err := exec.Command("/bin/sh", "-c",
		`exec 3>&1; { kit step 2 --rootfs "$0" -- /bin/sh -c 'exit 7'; echo $? >&3; } 2>&1 | true`,
		root).Output()
	require.NoError(t, err)
	require.Equal(t, "7\n", string(out))
}
