package cgroups

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/containerkit/kit/internal/container"
)

// noteEvents tells the user what the limits have done, while the cgroups that
// counted it are still there.
func noteEvents(c *container.Container) {
	n := counts(c.Cgroups)
	l := c.Limits
	if killed := n["oom_kill"]; killed > 0 {
		at := "on a machine without memory"
		if l.Memory > 0 {
			at = fmt.Sprintf("at the limit of %.4g MiB", float64(l.Memory)/(1<<20))
		}
		c.Notes = append(c.Notes, fmt.Sprintf("memory: the OOM killer ended %s %s",
			plural(killed, "process", "processes"), at))
	}
	if l.CPUs > 0 && n["nr_throttled"] > 0 {
		held := time.Duration(n["throttled_usec"]*1000 + n["throttled_time"])
		c.Notes = append(c.Notes, fmt.Sprintf(
			"cpu: held back for %v, in %d of %d periods, at the limit of %v CPUs",
			held.Round(10*time.Millisecond), n["nr_throttled"], n["nr_periods"], l.CPUs))
	}
	if l.Pids > 0 && n["max"] > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("pids: %s failed at the limit of %d tasks",
			plural(n["max"], "fork", "forks"), l.Pids))
	}
}

// counts reads the events of the cgroups, by the kernel's names for them.
func counts(dirs []string) map[string]int64 {
	n := map[string]int64{}
	for _, dir := range dirs {
		for _, file := range eventFiles(dir) {
			text, err := read(dir + "/" + file)
			if err != nil {
				continue // not this cgroup's controller
			}
			for line := range strings.Lines(text) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
				if file == "memory.events" && name == "max" {
					continue // how often memory had to be freed: no event for the user
				}
				if number, err := strconv.ParseInt(value, 10, 64); err == nil {
					n[name] += number
				}
			}
		}
	}
	return n
}

// eventFiles are the files that count, in v2 and in v1.
func eventFiles(dir string) []string {
	if isV2(dir) {
		return []string{"memory.events", "cpu.stat", "pids.events"}
	}
	return []string{"memory.oom_control", "cpu.stat", "pids.events"}
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}
