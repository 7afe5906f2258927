package cgroup

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// record writes the files of a cgroup, as the kernel would answer.
func record(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
}

func number64(n float64) *float64 { return &n }

func TestLimitsV2(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "a")
	record(t, top, map[string]string{"memory.max": "1048576\n"})
	record(t, dir, map[string]string{
		"memory.max":     "max\n",
		"memory.current": "4096\n",
		"cpu.max":        "50000 100000\n",
		"cpu.stat":       "usage_usec 1500000\nuser_usec 1\n",
	})
	p := Place{Dir: dir, Top: top, Path: "/x/a", V2: true, Controllers: []string{"memory", "cpu"}}
	require.Equal(t, []Limit{
		{"memory", "memory.max", number64(1 << 20), "/x", number64(4096), ""},
		{"cpu", "cpu.max", number64(0.5), "/x/a", number64(1.5), ""},
	}, p.Limits())
}

func TestLimitsV1(t *testing.T) {
	dir := t.TempDir()
	record(t, dir, map[string]string{
		"memory.limit_in_bytes": "9223372036854771712\n",
		"cpu.cfs_quota_us":      "-1\n",
		"cpu.cfs_period_us":     "100000\n",
		"pids.max":              "12\n",
	})
	p := Place{Dir: dir, Top: dir, Path: "/a", Controllers: []string{"memory", "cpu", "pids"}}
	require.Equal(t, []Limit{
		{"memory", "memory.limit_in_bytes", nil, "", nil, ""},
		{"cpu", "cpu.cfs_quota_us", nil, "", nil, ""},
		{"pids", "pids.max", number64(12), "/a", nil, ""},
	}, p.Limits())
	record(t, dir, map[string]string{"cpu.cfs_quota_us": "20000\n", "pids.max": "nonsense\n"})
	limits := p.Limits()
	require.Equal(t, number64(0.2), limits[1].Limit)
	require.Nil(t, limits[2].Limit)
	require.Contains(t, limits[2].Error, "nonsense")
}
