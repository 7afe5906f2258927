package cgroup

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Limit is how much of a resource the processes of a cgroup may have, all
// together, and have. A limit of a cgroup holds for those below it too: the
// lowest one counts, wherever it is set.
type Limit struct {
	Resource string   `json:"resource"` // "memory", "cpu", "pids"
	File     string   `json:"file"`     // the interface file: "memory.max"
	Limit    *float64 `json:"limit"`    // bytes; CPUs; processes and threads. null: no limit
	SetAt    string   `json:"set_at"`   // the path of the cgroup that sets it, "" without a limit
	Use      *float64 `json:"use"`      // bytes; seconds of CPU time so far; tasks. null: unknown
	Error    string   `json:"error"`    // why Limit is unknown, "" where it is known
}

// A resource names the files of one resource in one version of cgroups.
type resource struct {
	name, controller     string
	limitFile, useFile   string
	parseLimit, parseUse func(text string) (float64, error)
}

// resources are those that a container's flags limit
// (Documentation/admin-guide/cgroup-v1, cgroup-v2.rst).
func resources(v2 bool) []resource {
	if v2 {
		return []resource{
			{"memory", "memory", "memory.max", "memory.current", number, number},
			{"cpu", "cpu", "cpu.max", "cpu.stat", cpuMax, usage},
			{"pids", "pids", "pids.max", "pids.current", number, number},
		}
	}
	return []resource{
		{"memory", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", bytesV1, number},
		{"cpu", "cpu", "cpu.cfs_quota_us", "cpuacct.usage", number, nanoseconds},
		{"pids", "pids", "pids.max", "pids.current", number, number},
	}
}

// Limits returns the limits of a cgroup on the resources that controllers share out,
// and what it uses of each.
func (p Place) Limits() []Limit {
	limits := []Limit{}
	for _, r := range resources(p.V2) {
		if slices.Contains(p.Controllers, r.controller) {
			limits = append(limits, r.read(p))
		}
	}
	return limits
}

// AddCPUUse looks for the CPU time where v1 counts it in a hierarchy of its own: in
// the directory counter.
func (l *Limit) AddCPUUse(counter string) {
	if l.Resource == "cpu" && l.Use == nil {
		l.Use = use(counter, "cpuacct.usage", nanoseconds)
	}
}

// read finds the lowest limit of a cgroup and those above it, and the use of it.
func (r resource) read(p Place) Limit {
	l := Limit{Resource: r.name, File: r.limitFile}
	for dir, path := range p.upwards() {
		n, err := r.limit(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue // a root has no limits, and what is not enabled has none either
		}
		if err != nil {
			l.Error = err.Error()
			continue
		}
		if !math.IsInf(n, 1) && (l.Limit == nil || n < *l.Limit) {
			l.Limit, l.SetAt = &n, path
		}
	}
	l.Use = use(p.Dir, r.useFile, r.parseUse)
	return l
}

// use reads how much is used, nil where nobody counts.
func use(dir, file string, parse func(text string) (float64, error)) *float64 {
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil
	}
	n, err := parse(string(text))
	if err != nil || math.IsInf(n, 1) {
		return nil
	}
	return &n
}

// limit reads the limit that a directory sets, +Inf for none.
func (r resource) limit(dir string) (float64, error) {
	text, err := os.ReadFile(filepath.Join(dir, r.limitFile))
	if err != nil {
		return 0, err
	}
	n, err := r.parseLimit(string(text))
	if err != nil || r.limitFile != "cpu.cfs_quota_us" {
		return n, err
	}
	if n < 0 {
		return math.Inf(1), nil
	}
	text, err = os.ReadFile(filepath.Join(dir, "cpu.cfs_period_us"))
	if err != nil {
		return 0, err
	}
	return share(n, string(text))
}

// share is how much of a CPU a quota of microseconds is in each period.
func share(quota float64, period string) (float64, error) {
	n, err := number(period)
	if err == nil && (n <= 0 || math.IsInf(n, 1)) {
		err = errors.New("no period of time")
	}
	return quota / n, err
}

// number parses a whole decimal number, or "max".
func number(text string) (float64, error) {
	text = strings.TrimSpace(text)
	if text == "max" {
		return math.Inf(1), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return float64(n), err
}

// bytesV1 parses a limit of v1, where none is the greatest number of whole pages.
func bytesV1(text string) (float64, error) {
	n, err := number(text)
	if n >= 1<<62 {
		return math.Inf(1), err
	}
	return n, err
}

// cpuMax parses "QUOTA PERIOD" into CPUs.
func cpuMax(text string) (float64, error) {
	quota, period, _ := strings.Cut(strings.TrimSpace(text), " ")
	n, err := number(quota)
	if err != nil {
		return 0, err
	}
	return share(n, period)
}

// usage takes the seconds out of cpu.stat.
func usage(text string) (float64, error) {
	for line := range strings.Lines(text) {
		if us, ok := strings.CutPrefix(line, "usage_usec "); ok {
			n, err := number(us)
			return n / 1e6, err
		}
	}
	return 0, errors.New("no usage_usec")
}

func nanoseconds(text string) (float64, error) {
	n, err := number(text)
	return n / 1e9, err
}
