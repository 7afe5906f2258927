//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/procfs"
)

// testCgroup makes a cgroup for this test in the hierarchy of a controller, be it
// of v1 or v2, and removes it at the end, when nobody may be in it any more.
func testCgroup(t testing.TB, controller string) (dir string) {
	t.Helper()
	top := hierarchy(t, controller)
	dir = filepath.Join(top, fmt.Sprintf("testkit-%d-%d", os.Getpid(), time.Now().UnixNano()))
	require.NoError(t, os.Mkdir(dir, 0o755))
	t.Cleanup(func() {
		require.Eventually(t, func() bool { return os.Remove(dir) == nil },
			5*time.Second, 5*time.Millisecond, dir)
	})
	return dir
}

// hierarchy is where cgroups of a controller are made; "" is that of v2.
func hierarchy(t testing.TB, controller string) string {
	t.Helper()
	mounts, err := procfs.CgroupMounts()
	require.NoError(t, err)
	for _, m := range mounts {
		if !m.V2 && slices.Contains(m.Controllers, controller) {
			return m.Dir
		}
		enabled, _ := os.ReadFile(m.Dir + "/cgroup.subtree_control")
		has := controller == "" || slices.Contains(strings.Fields(string(enabled)), controller)
		if m.V2 && has {
			return m.Dir
		}
	}
	t.Skip("this kernel has no cgroups with controller " + controller)
	return ""
}
