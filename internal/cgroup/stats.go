package cgroup

import (
	"os"
	"path/filepath"
)

// Stats is what the processes of a container use and may use, all together, and how
// they fare. Its JSON is an interface: keys may be added, none is renamed or left
// out. What nobody counts on this machine is nil
// (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1).
type Stats struct {
	CPU      CPU      `json:"cpu"`
	Memory   Memory   `json:"memory"`
	Pids     Pids     `json:"pids"`
	IO       []IO     `json:"io"` // by device; [] where nothing was read or written
	Pressure Pressure `json:"pressure"`
	Frozen   bool     `json:"frozen"`
}

// CPU is time on CPUs in seconds, since the cgroup was made.
type CPU struct {
	Usage     *float64 `json:"usage_seconds"`
	User      *float64 `json:"user_seconds"`
	System    *float64 `json:"system_seconds"`
	Limit     *Limit   `json:"limit"`             // CPUs
	Periods   *uint64  `json:"periods"`           // of the limit, in which something wanted to run
	Throttled *uint64  `json:"throttled_periods"` // in which it had to stop
	Stopped   *float64 `json:"throttled_seconds"` // how long, added up over all CPUs
}

// Memory is in bytes.
type Memory struct {
	Current *uint64 `json:"current_bytes"`
	Peak    *uint64 `json:"peak_bytes"`
	Anon    *uint64 `json:"anon_bytes"` // what programs have written to; the rest is mostly
	File    *uint64 `json:"file_bytes"` // cached files, which go when there is need
	Swap    *uint64 `json:"swap_bytes"`
	Limit   *Limit  `json:"limit"`
	Max     *uint64 `json:"limit_hits"` // how often the limit stood in the way
	OOMKill *uint64 `json:"oom_kills"`  // processes that the OOM killer has ended
}

// Pids are tasks: processes and their threads.
type Pids struct {
	Current *uint64 `json:"current"`
	Peak    *uint64 `json:"peak"`
	Limit   *Limit  `json:"limit"`
	Refused *uint64 `json:"refused"` // forks that failed for the limit
}

// IO is what was read from one block device and written to it.
type IO struct {
	Device     string `json:"device"` // "8:0"
	ReadBytes  uint64 `json:"read_bytes"`
	WriteBytes uint64 `json:"write_bytes"`
	Reads      uint64 `json:"reads"`
	Writes     uint64 `json:"writes"`
}

// Read gathers the stats from a container's directories, one in each hierarchy. A
// file that is not there is nothing that is counted here.
func Read(dirs []string) (Stats, error) {
	s := Stats{IO: []IO{}}
	found, err := places(dirs)
	if err != nil {
		return s, err
	}
	for _, p := range found {
		if _, err := os.Stat(p.Dir); err != nil {
			return s, err
		}
		s.add(p)
	}
	return s, nil
}

// add reads the files of one hierarchy.
func (s *Stats) add(p Place) {
	if p.V2 {
		s.addV2(p.Dir)
	} else {
		s.addV1(p.Dir)
	}
	for _, l := range p.Limits() {
		switch l.Resource {
		case "cpu":
			s.CPU.Limit = &l
		case "memory":
			s.Memory.Limit = &l
		case "pids":
			s.Pids.Limit = &l
		}
	}
	frozen, err := isFrozen(p.Dir)
	s.Frozen = s.Frozen || err == nil && frozen
}

func (s *Stats) addV2(dir string) {
	stat := flat(dir, "cpu.stat")
	stat.take("usage_usec", 1e6, &s.CPU.Usage)
	stat.take("user_usec", 1e6, &s.CPU.User)
	stat.take("system_usec", 1e6, &s.CPU.System)
	stat.count("nr_periods", &s.CPU.Periods)
	stat.count("nr_throttled", &s.CPU.Throttled)
	stat.take("throttled_usec", 1e6, &s.CPU.Stopped)

	count(dir, "memory.current", &s.Memory.Current)
	count(dir, "memory.peak", &s.Memory.Peak)
	count(dir, "memory.swap.current", &s.Memory.Swap)
	memory := flat(dir, "memory.stat")
	memory.count("anon", &s.Memory.Anon)
	memory.count("file", &s.Memory.File)
	events := flat(dir, "memory.events")
	events.count("max", &s.Memory.Max)
	events.count("oom_kill", &s.Memory.OOMKill)

	s.addPids(dir)
	s.addIO(ioStat(text(dir, "io.stat")))
	s.Pressure.add(dir)
}

// addV1 knows that each controller may have a hierarchy of its own.
func (s *Stats) addV1(dir string) {
	usage := flat(dir, "cpu.stat")
	usage.count("nr_periods", &s.CPU.Periods)
	usage.count("nr_throttled", &s.CPU.Throttled)
	usage.take("throttled_time", 1e9, &s.CPU.Stopped)
	seconds(dir, "cpuacct.usage", &s.CPU.Usage)
	seconds(dir, "cpuacct.usage_user", &s.CPU.User)
	seconds(dir, "cpuacct.usage_sys", &s.CPU.System)

	count(dir, "memory.usage_in_bytes", &s.Memory.Current)
	count(dir, "memory.max_usage_in_bytes", &s.Memory.Peak)
	memory := flat(dir, "memory.stat")
	memory.count("total_rss", &s.Memory.Anon)
	memory.count("total_cache", &s.Memory.File)
	memory.count("total_swap", &s.Memory.Swap)
	count(dir, "memory.failcnt", &s.Memory.Max)
	flat(dir, "memory.oom_control").count("oom_kill", &s.Memory.OOMKill)

	s.addPids(dir)
	s.addIO(blkio(text(dir, "blkio.throttle.io_service_bytes_recursive"),
		text(dir, "blkio.throttle.io_serviced_recursive")))
}

// addPids reads files that have the same names in both versions.
func (s *Stats) addPids(dir string) {
	count(dir, "pids.current", &s.Pids.Current)
	count(dir, "pids.peak", &s.Pids.Peak)
	flat(dir, "pids.events").count("max", &s.Pids.Refused)
}

func (s *Stats) addIO(devices []IO) {
	if devices != nil {
		s.IO = devices
	}
}

// text reads a file, "" where there is none.
func text(dir, file string) string {
	data, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return ""
	}
	return string(data)
}
