package cgroups

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// A rule lets a cgroup's processes use devices. Step 2 makes no nodes but the
// harmless ones, but root can make others: mknod needs nothing but two numbers.
type rule struct {
	kind         byte  // c or b
	major, minor int64 // any where it is -1
	access       string
}

// rules are docker's, and the devices that the user has given.
func rules(devices []container.Device) []rule {
	list := []rule{
		{'c', -1, -1, "m"}, // a node may be made, and then not be opened
		{'b', -1, -1, "m"},
		{'c', 1, 3, "rwm"},    // null
		{'c', 1, 5, "rwm"},    // zero
		{'c', 1, 7, "rwm"},    // full
		{'c', 1, 8, "rwm"},    // random
		{'c', 1, 9, "rwm"},    // urandom
		{'c', 5, 0, "rwm"},    // tty
		{'c', 5, 1, "rwm"},    // console
		{'c', 5, 2, "rwm"},    // ptmx
		{'c', 136, -1, "rwm"}, // the terminals
	}
	for _, d := range devices {
		kind := byte('c')
		if d.Mode&unix.S_IFMT == unix.S_IFBLK {
			kind = 'b'
		}
		list = append(list, rule{kind, int64(d.Major), int64(d.Minor), d.Access})
	}
	return list
}

// limitDevices refuses all devices but those of the rules. In a user namespace
// the kernel leaves that to the host's root; there no node can be made either.
func limitDevices(c *container.Container, trees []tree) error {
	if c.Rootless {
		return nil
	}
	list := rules(c.Devices)
	v1 := slices.IndexFunc(trees, func(t tree) bool { return t.has("devices") })
	if v1 >= 0 {
		return limitDevicesV1(c.Cgroups[v1], list)
	}
	v2 := slices.IndexFunc(trees, func(t tree) bool { return t.v2 })
	if v2 >= 0 {
		return filterDevices(c.Cgroups[v2], list)
	}
	return nil
}

// limitDevicesV1 writes the rules into a cgroup of v1, which asks them by itself
// (Documentation/admin-guide/cgroup-v1/devices.rst).
func limitDevicesV1(dir string, list []rule) error {
	if err := write(dir+"/devices.deny", "a"); err != nil { // all
		return err
	}
	path := dir + "/devices.allow"
	// It takes one rule a write.
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	// Nobody adds to the rules later.
	defer unix.Close(fd)
	for _, r := range list {
		// Type, numbers, and what may be done: read, write, mknod.
		if _, err := unix.Write(fd, []byte(r.String())); err != nil {
			return fmt.Errorf("write %s to %s: %w", r, path, err)
		}
	}
	return nil
}

// String is the rule as v1 wants it: "c 136:* rwm".
func (r rule) String() string {
	number := func(n int64) string {
		if n < 0 {
			return "*"
		}
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%c %s:%s %s", r.kind, number(r.major), number(r.minor), r.access)
}
