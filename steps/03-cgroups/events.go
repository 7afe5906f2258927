package cgroups

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerkit/kit/internal/container"
)

// noteEvents tells the user what the limits have done, while the cgroups that
// counted it are still there.
func noteEvents(c *container.Container) {
	for _, note := range []string{
		memoryNote(c.Limits, c.Cgroups), cpuNote(c.Limits, c.Cgroups), pidsNote(c.Limits, c.Cgroups),
	} {
		if note != "" {
			c.Notes = append(c.Notes, note)
		}
	}
}

func memoryNote(l container.Limits, dirs []string) string {
	if l.Memory == 0 {
		return ""
	}
	killed := events(dirs, "memory.events", "memory.oom_control")["oom_kill"]
	if killed == 0 {
		return ""
	}
	return fmt.Sprintf("memory: the OOM killer ended %s at the limit of %.4g MiB",
		plural(killed, "process", "processes"), float64(l.Memory)/(1<<20))
}

func cpuNote(l container.Limits, dirs []string) string {
	if l.CPUs == 0 {
		return ""
	}
	n := events(dirs, "cpu.stat", "cpu.stat")
	if n["nr_throttled"] == 0 {
		return ""
	}
	// One is v2's, the other v1's.
	held := time.Duration(n["throttled_usec"]*1000 + n["throttled_time"])
	return fmt.Sprintf("cpu: held back for %v, in %d of %d periods, at the limit of %v CPUs",
		held.Round(10*time.Millisecond), n["nr_throttled"], n["nr_periods"], l.CPUs)
}

func pidsNote(l container.Limits, dirs []string) string {
	if l.Pids == 0 {
		return ""
	}
	refused := events(dirs, "pids.events", "pids.events")["max"]
	if refused == 0 {
		return ""
	}
	return fmt.Sprintf("pids: %s failed at the limit of %d tasks",
		plural(refused, "fork", "forks"), l.Pids)
}

// events reads the counters in a file, which v1 has under another name and in one
// of its trees only.
func events(dirs []string, v2, v1 string) map[string]int64 {
	n := map[string]int64{}
	for _, dir := range dirs {
		for _, file := range slices.Compact([]string{v2, v1}) {
			text, err := read(dir + "/" + file)
			if err != nil {
				continue
			}
			for line := range strings.Lines(text) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
				if number, err := strconv.ParseInt(value, 10, 64); err == nil {
					n[name] = number
				}
			}
			if _, ok := n["nr_throttled"]; ok || file != "cpu.stat" {
				return n // v2 has a cpu.stat in every cgroup, with less in it
			}
		}
	}
	return n
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}
