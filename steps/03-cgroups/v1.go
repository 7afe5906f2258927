package cgroups

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/containerkit/kit/internal/container"
)

// period is the time in which a quota of CPU time is to be used, in
// microseconds. It is the kernel's default.
const period = 100_000

// quota is the CPU time of a period, in microseconds.
func quota(cpus float64) int { return int(cpus*period + 0.5) }

// limitV1 writes the limits into a cgroup of v1, where each controller has a tree
// of its own, and files with names of their own
// (Documentation/admin-guide/cgroup-v1).
func (t tree) limitV1(c *container.Container, dir string) error {
	if slices.Contains(t.controllers, "cpuset") {
		if err := t.fillCpuset(dir); err != nil {
			return err
		}
	}
	for _, s := range settingsV1(c.Limits) {
		if !slices.Contains(t.controllers, s.controller()) {
			continue
		}
		if err := s.write(dir); err != nil {
			return err
		}
	}
	return openDoor(c, dir)
}

// fillCpuset copies from the parent: a cpuset of v1 is born empty, and takes no
// process as long as it has no CPU and no memory node.
func (t tree) fillCpuset(dir string) error {
	for _, file := range []string{"/cpuset.cpus", "/cpuset.mems"} {
		all, err := words(t.parent + file)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			continue
		}
		if err := write(dir+file, all[0]); err != nil {
			return err
		}
	}
	return nil
}

// settingsV1 are the limits in the words of v1, those of v2 behind them.
func settingsV1(l container.Limits) (s []setting) {
	add := func(file, value string) { s = append(s, setting{file, value}) }
	if l.Memory > 0 {
		add("memory.limit_in_bytes", strconv.FormatInt(l.Memory, 10))       // memory.max
		add("memory.memsw.limit_in_bytes", strconv.FormatInt(l.Memory, 10)) // with swap: none left for it
	}
	if l.MemoryLow > 0 {
		add("memory.soft_limit_in_bytes", strconv.FormatInt(l.MemoryLow, 10)) // memory.low
	}
	if l.CPUs > 0 {
		add("cpu.cfs_period_us", strconv.Itoa(period)) // cpu.max, its second number
		add("cpu.cfs_quota_us", strconv.Itoa(quota(l.CPUs)))
	}
	if l.CPUWeight > 0 {
		add("cpu.shares", strconv.FormatUint(shares(l.CPUWeight), 10)) // cpu.weight
	}
	if l.CPUSet != "" {
		add("cpuset.cpus", l.CPUSet)
	}
	if l.Pids > 0 {
		add("pids.max", strconv.FormatInt(l.Pids, 10))
	}
	for _, io := range l.IO { // io.max
		device := fmt.Sprintf("%d:%d ", io.Major, io.Minor)
		if io.ReadBps > 0 {
			add("blkio.throttle.read_bps_device", device+strconv.FormatUint(io.ReadBps, 10))
		}
		if io.WriteBps > 0 {
			add("blkio.throttle.write_bps_device", device+strconv.FormatUint(io.WriteBps, 10))
		}
	}
	return s
}

// shares is a weight of v2 in the scale of v1, as the kernel itself converts it:
// who asks for nothing has a weight of 100, and had 1024 shares.
func shares(weight uint64) uint64 { return (weight*1024 + 50) / 100 }

// ioMax is the line of io.max for one device.
func ioMax(io container.IOLimit) string {
	line := fmt.Sprintf("%d:%d", io.Major, io.Minor)
	if io.ReadBps > 0 {
		line += fmt.Sprintf(" rbps=%d", io.ReadBps)
	}
	if io.WriteBps > 0 {
		line += fmt.Sprintf(" wbps=%d", io.WriteBps)
	}
	return line
}
