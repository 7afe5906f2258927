package inspect

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/cgroup"
)

func TestLimitText(t *testing.T) {
	n := func(n float64) *float64 { return &n }
	for want, l := range map[string]cgroup.Limit{
		"1MiB at most (memory.max of /x), 4KiB now": {
			Resource: "memory", File: "memory.max", Limit: n(1 << 20), SetAt: "/x", Use: n(4096),
		},
		"0.5 CPUs at most (cpu.max), 1.5 s used so far": {
			Resource: "cpu", File: "cpu.max", Limit: n(0.5), SetAt: "/x/a", Use: n(1.5),
		},
		"no limit (memory.limit_in_bytes)": {Resource: "memory", File: "memory.limit_in_bytes"},
		"12 tasks at most (pids.max)":      {Resource: "pids", File: "pids.max", Limit: n(12)},
		"EIO (pids.max)":                   {Resource: "pids", File: "pids.max", Error: "EIO"},
	} {
		require.Equal(t, want, limitText(l, "/x/a"))
	}
}
