//go:build linux

package main

import "golang.org/x/sys/unix"

// A deed is a call with a path. They are for containers: two of them make devices.
type deed struct {
	name string
	do   func() error
}

func deeds() []deed {
	node := func(name string, mode, major, minor uint32) func() error {
		return func() error { return unix.Mknod("/tmp/"+name, mode, int(unix.Mkdev(major, minor))) }
	}
	open := func(name string, flags int) func() error {
		return func() error {
			_, err := unix.Open(name, flags, 0)
			return err
		}
	}
	return []deed{
		{"mknod-fifo", node("fifo", unix.S_IFIFO|0o600, 0, 0)},
		{"mknod-char", node("char", unix.S_IFCHR|0o600, 1, 3)},
		{"mknod-block", node("block", unix.S_IFBLK|0o600, 8, 0)},
		{"chown", func() error { return unix.Chown("/tmp/fifo", 0, 0) }},
		{"chroot", func() error { return unix.Chroot("/") }},
		{"write-sysctl", open("/proc/sys/kernel/core_pattern", unix.O_WRONLY)},
		{"write-irq", open("/proc/irq/default_smp_affinity", unix.O_WRONLY)},
		{"open-kmsg", open("/dev/kmsg", unix.O_RDONLY)},
		{"open-mem", open("/dev/mem", unix.O_RDONLY)},
	}
}
