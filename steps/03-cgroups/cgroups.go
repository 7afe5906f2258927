// Package cgroups is step 3: limit how much the command may use.
//
// A cgroup is a directory that the kernel makes up, and the processes whose ids
// are in its file cgroup.procs. There are no system calls for cgroups: a limit is
// a line written to a file, and holds for all the processes together. Namespaces
// change what a process sees; this changes what it gets, and hides nothing.
//
// This file speaks cgroup v2, which has one tree for all (cgroups(7), and
// Documentation/admin-guide/cgroup-v2.rst). The older names are in v1.go.
package cgroups

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// Step puts the child into a cgroup with limits.
var Step = container.Step{
	Name:   "cgroups",
	Adds:   "limits on memory, CPU, processes, devices and disks",
	Before: create,
	Parent: release,
	Child:  enter,
	Inside: furnish,
	After:  remove,
}

// create makes the container's cgroup, with its limits, before there is a
// container. Under v1 that is one cgroup in each tree.
func create(c *container.Container) error {
	trees, err := choose(c)
	if err != nil {
		return err
	}
	if err := announce(c, trees); err != nil {
		return err
	}
	if err := makeCgroups(c); err != nil {
		return err
	}
	for i, t := range trees {
		if err := t.limit(c, c.Cgroups[i]); err != nil {
			return err
		}
	}
	return limitDevices(c, trees)
}

// limit writes the limits of those controllers that the tree has.
func (t tree) limit(c *container.Container, dir string) error {
	if !t.v2 {
		return t.limitV1(c, dir)
	}
	if err := t.enable(c.Limits); err != nil {
		return err
	}
	for _, s := range settings(c.Limits) {
		if !t.has(s.controller()) {
			continue // it is in one of v1's trees
		}
		if err := s.write(dir); err != nil {
			return err
		}
	}
	// Clone will take it from here: the child is born in this cgroup, so that not
	// even its first instruction is uncounted (CLONE_INTO_CGROUP).
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	c.Attr.UseCgroupFD, c.Attr.CgroupFD = true, fd
	return nil
}

// A setting is a line for one of a cgroup's files. The word before the dot is
// the controller, which must be enabled for the file to be there.
type setting struct{ file, value string }

// settings are the limits in the words of v2.
func settings(l container.Limits) (s []setting) {
	if l.Memory > 0 {
		s = append(s,
			setting{"memory.max", strconv.FormatInt(l.Memory, 10)}, // beyond it the OOM killer acts
			setting{"memory.swap.max", "0"})                        // and the disk is no way around it
	}
	if l.MemoryLow > 0 { // taken last when the machine runs short
		s = append(s, setting{"memory.low", strconv.FormatInt(l.MemoryLow, 10)})
	}
	if l.CPUs > 0 { // microseconds of CPU time in every 100 ms
		s = append(s, setting{"cpu.max", strconv.Itoa(quota(l.CPUs)) + " " + strconv.Itoa(period)})
	}
	if l.CPUWeight > 0 { // share of a CPU that others want too; 100 if not set
		s = append(s, setting{"cpu.weight", strconv.FormatUint(l.CPUWeight, 10)})
	}
	if l.CPUSet != "" { // which CPUs at all
		s = append(s, setting{"cpuset.cpus", l.CPUSet})
	}
	if l.Pids > 0 { // processes and threads; beyond it fork fails with EAGAIN
		s = append(s, setting{"pids.max", strconv.FormatInt(l.Pids, 10)})
	}
	for _, io := range l.IO { // bytes per second of one disk
		s = append(s, setting{"io.max", ioMax(io)})
	}
	return s
}

// ownView lets the child take the cgroup that it is in for the root of the tree.
func ownView(c *container.Container) error {
	// Not by clone, as the other namespaces: the cgroup that a process is in when
	// it makes this one becomes the root, and clone would take its parent's.
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("unshare CLONE_NEWCGROUP: %w", err)
	}
	return takeDevices(c)
}
