package state

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse compares any two texts of mountinfo and status: names in them are whatever
// somebody has chosen.
func FuzzParse(f *testing.F) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(f, err)
	f.Add(mounts[:min(len(mounts), 500)],
		[]byte("1 2 0:1 / /a\\040b rw shared:1 master:2 - tmpfs none rw\n"))
	f.Add([]byte("1 2 0:1 / /a rw - a b\n"), []byte("1 2 0:1 /x /b ro - a b\n1 2 0:1 / /a rw"))
	f.Add([]byte("Uid:\t0\t0\t0\t0\nCapEff:\t1\nSeccomp:\t2\n"), []byte("CapEff:\tzz\nGroups:\n"))
	f.Fuzz(func(_ *testing.T, a, b []byte) {
		before, after := newMounts(a), newMounts(b)
		for _, c := range before.Diff(after) {
			_ = c.What + c.Before + c.After
		}
		_, _ = after.At("/a")
		from, to := parseStatus(a), parseStatus(b)
		_ = from.Diff(&to, 0)
	})
}
