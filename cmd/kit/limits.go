//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/docker/go-units"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// Below these kit itself, which prepares the container from inside, would be
// killed or could not start its threads.
const (
	minMemory = 6 << 20
	minPids   = 10
	maxPids   = 4 << 20 // PID_MAX_LIMIT, see pid_max in proc_sys_kernel(5)
	minCPUs   = 0.01    // a quota of 1 ms, the kernel's least
	maxWeight = 10000
)

// limitOptions are the flags of step 3.
type limitOptions struct {
	given               func(flag string) bool
	memory, reservation string
	cpus                string
	weight              uint64
	cpuset              string
	pids                int64
	readBps, writeBps   []string
	devices             []string
}

func (o *limitOptions) addTo(f *pflag.FlagSet) {
	o.given = f.Changed
	f.StringVar(&o.memory, "memory", "",
		"step 3: `bytes` of memory at most, with a unit: 64m, 1g; 0: no limit")
	f.StringVar(&o.reservation, "memory-reservation", "",
		"step 3: `bytes` that are taken from others first when the machine runs short")
	f.StringVar(&o.cpus, "cpus", "",
		"step 3: `number` of CPUs' time at most: 0.2 is a fifth of one; 0: no limit")
	f.Uint64Var(&o.weight, "cpu-weight", 0,
		"step 3: `weight` from 1 to 10000 where others want the CPU too (who has none: 100)")
	f.StringVar(&o.cpuset, "cpuset-cpus", "", "step 3: run on these `CPUs` only: 0-2,4")
	f.Int64Var(&o.pids, "pids-limit", 0,
		"step 3: `number` of processes and threads at most; 0 and -1: no limit")
	f.StringArrayVar(&o.readBps, "device-read-bps", nil,
		"step 3: read a disk at this rate at most: `DEV:RATE`, as /dev/sda:1mb")
	f.StringArrayVar(&o.writeBps, "device-write-bps", nil,
		"step 3: write to a disk at this rate at most: `DEV:RATE`")
	f.StringArrayVar(&o.devices, "device", nil,
		"step 3: let the command use a `device` of the host: SRC[:DST][:rwm]")
}

// set puts them into the container.
func (o *limitOptions) set(c *container.Container) (err error) {
	l := &c.Limits
	for _, parse := range []func(*container.Limits) error{
		o.setMemory, o.setCPU, o.setPids, o.setIO,
	} {
		if err := parse(l); err != nil {
			return err
		}
	}
	for _, d := range o.devices {
		device, err := parseDevice(d)
		if err != nil {
			return fmt.Errorf("--device %s: %w", d, err)
		}
		for _, v := range c.Volumes {
			if v.Target == device.Target || strings.HasPrefix(device.Target, v.Target+"/") {
				return fmt.Errorf("--device %s: it would be made in the volume %s", d, v.Source)
			}
		}
		c.Devices = append(c.Devices, device)
	}
	return nil
}

func (o *limitOptions) setMemory(l *container.Limits) (err error) {
	if o.given("memory") {
		if l.Memory, err = parseBytes(o.memory); err != nil {
			return fmt.Errorf("--memory %s: %w", o.memory, err)
		}
		if l.Memory != 0 && l.Memory < minMemory {
			return fmt.Errorf("--memory %s: less than the %s that a container needs to start",
				o.memory, units.BytesSize(minMemory))
		}
	}
	if o.given("memory-reservation") {
		if l.MemoryLow, err = parseBytes(o.reservation); err != nil {
			return fmt.Errorf("--memory-reservation %s: %w", o.reservation, err)
		}
		if l.Memory > 0 && l.MemoryLow > l.Memory {
			return fmt.Errorf("--memory-reservation %s: more than --memory %s",
				o.reservation, o.memory)
		}
	}
	return nil
}

func (o *limitOptions) setCPU(l *container.Limits) (err error) {
	if o.given("cpus") {
		most := runtime.NumCPU()
		l.CPUs, err = strconv.ParseFloat(o.cpus, 64)
		if err != nil {
			return fmt.Errorf("--cpus %s: not a number", o.cpus)
		}
		if l.CPUs != 0 && !(l.CPUs >= minCPUs && l.CPUs <= float64(most)) { // NaN is neither
			return fmt.Errorf("--cpus %s: not from %v to %d, the CPUs that there are here",
				o.cpus, minCPUs, most)
		}
	}
	if o.given("cpu-weight") && (o.weight < 1 || o.weight > maxWeight) {
		return fmt.Errorf("--cpu-weight %d: not from 1 to %d", o.weight, maxWeight)
	}
	l.CPUWeight = o.weight
	if o.given("cpuset-cpus") {
		if err := checkCPUs(o.cpuset); err != nil {
			return fmt.Errorf("--cpuset-cpus %s: %w", o.cpuset, err)
		}
		l.CPUSet = o.cpuset
	}
	return nil
}

// parseBytes understands a number of bytes with a unit; 0 is no limit, as in docker.
func parseBytes(text string) (int64, error) {
	const most = 1 << 60
	n, err := units.RAMInBytes(text)
	if err != nil {
		return 0, errors.New("not a number of bytes, such as 64m or 1g")
	}
	if n < 0 || n > most { // the number has overflowed
		return 0, fmt.Errorf("more than %s", units.BytesSize(most))
	}
	return n, nil
}

// checkCPUs refuses a list (cpuset(7), "List format") with a CPU that is not there.
func checkCPUs(list string) error {
	var ours unix.CPUSet
	if err := unix.SchedGetaffinity(0, &ours); err != nil {
		return err
	}
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.ParseUint(first, 10, 16)
		if err != nil {
			return fmt.Errorf("%q is no CPU, and no range such as 0-2", part)
		}
		to, err := strconv.ParseUint(last, 10, 16)
		if err != nil || to < from {
			return fmt.Errorf("%q is no CPU, and no range such as 0-2", part)
		}
		for cpu := from; cpu <= to; cpu++ {
			if !ours.IsSet(int(cpu)) {
				return fmt.Errorf("there is no CPU %d for us here", cpu)
			}
		}
	}
	return nil
}

func (o *limitOptions) setPids(l *container.Limits) error {
	switch {
	case o.pids == 0 || o.pids == -1: // none, as in docker
	case o.pids < minPids:
		return fmt.Errorf("--pids-limit %d: less than the %d that a container needs to start",
			o.pids, minPids)
	case o.pids > maxPids:
		return fmt.Errorf("--pids-limit %d: more than the %d that Linux can have", o.pids, maxPids)
	default:
		l.Pids = o.pids
	}
	return nil
}

func (o *limitOptions) setIO(l *container.Limits) error {
	for _, f := range o.readBps {
		limit, rate, err := parseRate(f)
		if err != nil {
			return fmt.Errorf("--device-read-bps %s: %w", f, err)
		}
		limit.ReadBps = rate
		l.IO = append(l.IO, limit)
	}
	for _, f := range o.writeBps {
		limit, rate, err := parseRate(f)
		if err != nil {
			return fmt.Errorf("--device-write-bps %s: %w", f, err)
		}
		limit.WriteBps = rate
		l.IO = append(l.IO, limit)
	}
	return nil
}

// parseRate understands DEV:RATE.
func parseRate(flag string) (l container.IOLimit, rate uint64, err error) {
	device, text, ok := strings.Cut(flag, ":")
	if !ok || device == "" || text == "" {
		return l, 0, errors.New("not of the form DEV:RATE")
	}
	n, err := parseBytes(text)
	if err != nil {
		return l, 0, err
	}
	if n == 0 {
		return l, 0, errors.New("the rate is nothing at all")
	}
	var found unix.Stat_t
	if err := unix.Stat(device, &found); err != nil {
		return l, 0, err
	}
	if found.Mode&unix.S_IFMT != unix.S_IFBLK {
		return l, 0, fmt.Errorf("%s is not a disk (a block device)", device)
	}
	l = container.IOLimit{Path: device, Major: unix.Major(found.Rdev), Minor: unix.Minor(found.Rdev)}
	return l, uint64(n), checkDisk(l)
}

// checkDisk refuses a part of a disk: the kernel limits whole ones only.
func checkDisk(l container.IOLimit) error {
	dir, err := filepath.EvalSymlinks(fmt.Sprintf("/sys/dev/block/%d:%d", l.Major, l.Minor))
	if err != nil {
		return fmt.Errorf("no disk of the numbers %d:%d", l.Major, l.Minor)
	}
	if _, err := os.Stat(filepath.Join(dir, "partition")); err == nil {
		return fmt.Errorf("a partition: limits are for whole disks, here /dev/%s",
			filepath.Base(filepath.Dir(dir)))
	}
	return nil
}

// parseDevice understands SRC[:DST][:rwm].
func parseDevice(flag string) (d container.Device, err error) {
	parts := strings.Split(flag, ":")
	d.Source, d.Target, d.Access = parts[0], parts[0], "rwm"
	switch {
	case len(parts) == 2 && isAccess(parts[1]):
		d.Access = parts[1]
	case len(parts) == 2:
		d.Target = parts[1]
	case len(parts) == 3:
		d.Target, d.Access = parts[1], parts[2]
	}
	if len(parts) > 3 || d.Source == "" {
		return d, errors.New("not of the form SRC[:DST][:rwm]")
	}
	if !isAccess(d.Access) {
		return d, fmt.Errorf("%q is not made of r, w and m", d.Access)
	}
	if d.Target = path.Clean(d.Target); !strings.HasPrefix(d.Target, "/dev/") {
		return d, fmt.Errorf("%s does not lie below /dev", d.Target)
	}
	if d.Source, err = filepath.Abs(d.Source); err != nil {
		return d, err
	}
	var found unix.Stat_t
	if err := unix.Stat(d.Source, &found); err != nil {
		return d, err
	}
	if kind := found.Mode & unix.S_IFMT; kind != unix.S_IFBLK && kind != unix.S_IFCHR {
		return d, errors.New("not a device")
	}
	d.Mode, d.UID, d.GID = found.Mode, found.Uid, found.Gid
	d.Major, d.Minor = unix.Major(found.Rdev), unix.Minor(found.Rdev)
	return d, nil
}

func isAccess(text string) bool { return text != "" && strings.Trim(text, "rwm") == "" }
