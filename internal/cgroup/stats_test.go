package cgroup

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// read reads recorded files as one hierarchy.
func read(t *testing.T, v2 bool, controllers []string, files map[string]string) Stats {
	t.Helper()
	dir := t.TempDir()
	record(t, dir, files)
	s := Stats{IO: []IO{}}
	s.add(Place{Dir: dir, Top: dir, Path: "/x", V2: v2, Controllers: controllers})
	return s
}

func ptr[T any](v T) *T { return &v }

func TestStatsV2(t *testing.T) {
	s := read(t, true, []string{"cpu", "memory", "pids", "io"}, map[string]string{
		"cpu.stat": "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnice_usec 0\n" +
			"core_sched.force_idle_usec 0\nnr_periods 50\nnr_throttled 45\nthrottled_usec 3600000\n" +
			"nr_bursts 0\nburst_usec 0\n",
		"cpu.max": "20000 100000\n",
		"cpu.pressure": "some avg10=79.10 avg60=40.00 avg300=9.05 total=3712345\n" +
			"full avg10=1.50 avg60=0.00 avg300=0.00 total=12\n",
		"memory.current":      "12582912\n",
		"memory.peak":         "67108864\n",
		"memory.max":          "67108864\n",
		"memory.swap.current": "0\n",
		"memory.stat":         "anon 8388608\nfile 4194304\nkernel 12288\nfile_mapped 0\n",
		"memory.events":       "low 0\nhigh 0\nmax 31\noom 1\noom_kill 1\noom_group_kill 0\n",
		"memory.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n" +
			"full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
		"pids.current":  "3\n",
		"pids.peak":     "20\n",
		"pids.max":      "20\n",
		"pids.events":   "max 41\n",
		"io.stat":       "7:0 \n8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n",
		"cgroup.events": "populated 1\nfrozen 1\n",
	})
	require.Equal(t, Stats{
		CPU: CPU{
			Usage: ptr(2.5), User: ptr(2.0), System: ptr(0.5),
			Limit:   &Limit{"cpu", "cpu.max", ptr(0.2), "/x", ptr(2.5), ""},
			Periods: ptr[uint64](50), Throttled: ptr[uint64](45), Stopped: ptr(3.6),
		},
		Memory: Memory{
			Current: ptr[uint64](12 << 20), Peak: ptr[uint64](64 << 20),
			Anon: ptr[uint64](8 << 20), File: ptr[uint64](4 << 20), Swap: ptr[uint64](0),
			Limit: &Limit{"memory", "memory.max", ptr(64.0 * (1 << 20)), "/x", ptr(12.0 * (1 << 20)), ""},
			Max:   ptr[uint64](31), OOMKill: ptr[uint64](1),
		},
		Pids: Pids{
			Current: ptr[uint64](3), Peak: ptr[uint64](20), Refused: ptr[uint64](41),
			Limit: &Limit{"pids", "pids.max", ptr(20.0), "/x", ptr(3.0), ""},
		},
		IO: []IO{{"8:0", 4096, 8192, 1, 2}},
		Pressure: Pressure{
			CPU:    &Stall{Some: Share{79.1, 40, 9.05, 3.712345}, Full: Share{1.5, 0, 0, 12e-6}},
			Memory: &Stall{},
		},
		Frozen: true,
	}, s)
}

func TestStatsV1(t *testing.T) {
	s := read(t, false, []string{"cpu", "cpuacct", "memory", "pids", "blkio", "freezer"},
		map[string]string{
			"cpu.stat":                  "nr_periods 50\nnr_throttled 45\nthrottled_time 3600000000\n",
			"cpu.cfs_quota_us":          "20000\n",
			"cpu.cfs_period_us":         "100000\n",
			"cpuacct.usage":             "2500000000\n",
			"cpuacct.usage_user":        "2000000000\n",
			"cpuacct.usage_sys":         "500000000\n",
			"memory.usage_in_bytes":     "12582912\n",
			"memory.max_usage_in_bytes": "67108864\n",
			"memory.limit_in_bytes":     "67108864\n",
			"memory.failcnt":            "31\n",
			"memory.stat": "cache 1\nrss 2\n" +
				"total_cache 4194304\ntotal_rss 8388608\ntotal_swap 0\n",
			"memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
			"pids.current":       "3\n",
			"pids.max":           "max\n",
			"pids.events":        "max 41\n",
			"blkio.throttle.io_service_bytes_recursive": "8:0 Read 4096\n8:0 Write 8192\n8:0 Sync 12288\n" +
				"8:0 Async 0\n8:0 Discard 0\n8:0 Total 12288\nTotal 12288\n",
			"blkio.throttle.io_serviced_recursive": "8:0 Read 1\n8:0 Write 2\n8:0 Total 3\nTotal 3\n",
			"freezer.state":                        "THAWED\n",
		})
	require.Equal(t, Stats{
		CPU: CPU{
			Usage: ptr(2.5), User: ptr(2.0), System: ptr(0.5),
			Limit:   &Limit{"cpu", "cpu.cfs_quota_us", ptr(0.2), "/x", ptr(2.5), ""},
			Periods: ptr[uint64](50), Throttled: ptr[uint64](45), Stopped: ptr(3.6),
		},
		Memory: Memory{
			Current: ptr[uint64](12 << 20), Peak: ptr[uint64](64 << 20),
			Anon: ptr[uint64](8 << 20), File: ptr[uint64](4 << 20), Swap: ptr[uint64](0),
			Limit: &Limit{
				"memory", "memory.limit_in_bytes", ptr(64.0 * (1 << 20)), "/x", ptr(12.0 * (1 << 20)), "",
			},
			Max: ptr[uint64](31), OOMKill: ptr[uint64](1),
		},
		Pids: Pids{
			Current: ptr[uint64](3), Refused: ptr[uint64](41),
			Limit: &Limit{"pids", "pids.max", nil, "", ptr(3.0), ""},
		},
		IO: []IO{{"8:0", 4096, 8192, 1, 2}},
	}, s)
}

// TestStatsOfNothing: what is not counted is null, and there is every key.
func TestStatsOfNothing(t *testing.T) {
	for _, v2 := range []bool{true, false} {
		text, err := json.Marshal(read(t, v2, nil, nil))
		require.NoError(t, err)
		require.JSONEq(t, `{
			"cpu": {"usage_seconds": null, "user_seconds": null, "system_seconds": null, "limit": null,
				"periods": null, "throttled_periods": null, "throttled_seconds": null},
			"memory": {"current_bytes": null, "peak_bytes": null, "anon_bytes": null, "file_bytes": null,
				"swap_bytes": null, "limit": null, "limit_hits": null, "oom_kills": null},
			"pids": {"current": null, "peak": null, "limit": null, "refused": null},
			"io": [], "pressure": {"cpu": null, "memory": null, "io": null}, "frozen": false}`, string(text))
	}
}

// TestGarbage: a file that has changed its form counts nothing, and breaks nothing.
func TestGarbage(t *testing.T) {
	for _, v2 := range []bool{true, false} {
		s := read(t, v2, nil, map[string]string{
			"cpu.stat": "usage_usec\nnr_periods many\n\n \nx y z\n", "cpuacct.usage": "",
			"memory.current": "-1", "memory.usage_in_bytes": "max", "io.stat": "8:0 rbytes\nx\n",
			"cpu.pressure": "some avg10=x\n",
			"blkio.throttle.io_service_bytes_recursive": "8:0 Read\n8:0 Read x\n",
		})
		s.IO = nil
		require.Equal(t, Stats{}, s)
	}
}
