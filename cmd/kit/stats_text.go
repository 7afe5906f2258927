//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"github.com/containerkit/kit/internal/cgroup"
)

// columns of the table, with the width of each.
const columns = "%-16s %6s %6s %10s %10s %6s %6s %11s %4s  %s\n"

// writeTable writes a line for each container, and the heading before the first.
func (v *statsView) writeTable(list []sample) error {
	if len(list) > 0 && v.rows == 0 {
		fmt.Fprintf(v.out, columns, "NAME", "CPUS", "LIMIT", "MEMORY", "LIMIT", "PIDS", "LIMIT",
			"THROTTLED", "OOM", "STATE")
	}
	for _, c := range list {
		v.rows++
		_, err := fmt.Fprintf(v.out, columns, c.Name,
			decimal(c.cpus, 2), limit(c.CPU.Limit, plain),
			size(c.Memory.Current), limit(c.Memory.Limit, units.BytesSize),
			number(c.Pids.Current), limit(c.Pids.Limit, plain),
			ratio(c.CPU.Throttled, c.CPU.Periods), number(c.Memory.OOMKill), c.status())
		if err != nil {
			return err
		}
	}
	return nil
}

func (c sample) status() string {
	switch {
	case len(c.Cgroups) == 0:
		return fmt.Sprintf("no cgroup (step %d)", c.Step)
	case c.Frozen:
		return "paused"
	}
	return "running"
}

// writeDetails writes all that is known of containers.
func writeDetails(out io.Writer, list []sample) error {
	var b strings.Builder
	for _, c := range list {
		fmt.Fprintf(&b, "container %s: process %d, %s\n", c.Name, c.Pid, c.status())
		row := func(name, format string, args ...any) {
			fmt.Fprintf(&b, "  %-9s %s\n", name, fmt.Sprintf(format, args...))
		}
		c.writeCPU(row)
		c.writeMemory(row)
		row("pids", "%s now, %s at the peak, %s; %s refused", number(c.Pids.Current),
			number(c.Pids.Peak), atMost(c.Pids.Limit, plain), counted(c.Pids.Refused, "fork"))
		for _, io := range c.IO {
			row("io", "%s read %s in %s, written %s in %s", deviceName(io.Device),
				units.BytesSize(float64(io.ReadBytes)), counted(&io.Reads, "request"),
				units.BytesSize(float64(io.WriteBytes)), counted(&io.Writes, "request"))
		}
		c.writePressure(row)
		for i, dir := range c.Cgroups {
			row([]string{"cgroups", ""}[min(i, 1)], "%s", dir)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (c sample) writeCPU(row func(name, format string, args ...any)) {
	row("cpu", "%s CPUs now, %s; %s s used, %s of it in the kernel",
		decimal(c.cpus, 2), atMost(c.CPU.Limit, plain), decimal(c.CPU.Usage, 2),
		decimal(c.CPU.System, 2))
	if c.CPU.Throttled != nil && *c.CPU.Throttled > 0 {
		row("", "throttled in %d of %s periods, for %s s", *c.CPU.Throttled,
			number(c.CPU.Periods), decimal(c.CPU.Stopped, 2))
	}
}

func (c sample) writeMemory(row func(name, format string, args ...any)) {
	m := c.Memory
	row("memory", "%s now, %s at the peak, %s", size(m.Current), size(m.Peak),
		atMost(m.Limit, units.BytesSize))
	row("", "%s written to, %s cached files, %s swap", size(m.Anon), size(m.File), size(m.Swap))
	row("", "limit reached %s, %s killed for lack of memory", counted(m.Max, "time"),
		counted(m.OOMKill, "process"))
}

func (c sample) writePressure(row func(name, format string, args ...any)) {
	p := c.Pressure
	if p.CPU == nil && p.Memory == nil && p.IO == nil {
		return
	}
	share := func(s *cgroup.Stall) string {
		if s == nil {
			return "-"
		}
		return fmt.Sprintf("%.1f %%", s.Some.Avg10)
	}
	row("pressure", "some task waited for CPU %s, memory %s, io %s of the last 10 s",
		share(p.CPU), share(p.Memory), share(p.IO))
}

// deviceName is like "vda (254:0)".
func deviceName(device string) string {
	target, err := os.Readlink("/sys/dev/block/" + device)
	if err != nil {
		return device
	}
	return filepath.Base(target) + " (" + device + ")"
}

func limit(l *cgroup.Limit, unit func(float64) string) string {
	if l == nil || l.Limit == nil {
		return "-"
	}
	return unit(*l.Limit)
}

func atMost(l *cgroup.Limit, unit func(float64) string) string {
	switch {
	case l == nil:
		return "no controller"
	case l.Limit == nil:
		return "no limit (" + l.File + ")"
	}
	return "at most " + unit(*l.Limit) + " (" + l.File + ")"
}

// counted is a number with its noun: "1 fork", "2 forks".
func counted(n *uint64, noun string) string {
	if n != nil && *n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "s") {
		noun += "e"
	}
	return number(n) + " " + noun + "s"
}

func ratio(part, whole *uint64) string {
	if part == nil || whole == nil {
		return "-"
	}
	return number(part) + "/" + number(whole)
}

func number(n *uint64) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatUint(*n, 10)
}

func size(n *uint64) string {
	if n == nil {
		return "-"
	}
	return units.BytesSize(float64(*n))
}

func decimal(n *float64, digits int) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatFloat(*n, 'f', digits, 64)
}

func plain(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }
