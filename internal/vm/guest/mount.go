//go:build linux

package guest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// switchRoot makes the disk the root. The kernel's own first root can neither be
// unmounted nor given to pivot_root(2).
func switchRoot(disk string) error {
	if err := mount("devtmpfs", "/dev", 0, ""); err != nil {
		return err
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		if _, err := os.Stat(disk); err == nil {
			break
		} else if time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := unix.Mount(disk, "/root", "ext4", 0, ""); err != nil {
		return fmt.Errorf("mount %s: %w", disk, err)
	}
	for _, step := range []func() error{
		func() error { return os.MkdirAll("/root/dev", 0o755) },
		func() error { return unix.Mount("/dev", "/root/dev", "", unix.MS_MOVE, "") },
		func() error { return os.Chdir("/root") },
		func() error { return unix.Mount(".", "/", "", unix.MS_MOVE, "") },
		func() error { return unix.Chroot(".") },
		func() error { return os.Chdir("/") },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("switch root: %w", err)
		}
	}
	return nil
}

// mountAll mounts what a distribution's init does.
func mountAll() error {
	// Shared, as systemd makes it.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("mount / shared: %w", err)
	}
	const safe = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	for _, m := range []struct {
		kind, path string
		flags      uintptr
		options    string
	}{
		{"proc", "/proc", safe, ""},
		{"sysfs", "/sys", safe, ""},
		{"devpts", "/dev/pts", 0, "ptmxmode=0666,newinstance"},
		{"tmpfs", "/dev/shm", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
		{"tmpfs", "/run", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
	} {
		if err := mount(m.kind, m.path, m.flags, m.options); err != nil {
			return err
		}
	}
	_ = os.Symlink("/proc/self/fd", "/dev/fd") // it may be there
	// Only panics on the console, where the command writes.
	return os.WriteFile("/proc/sys/kernel/printk", []byte("1"), 0)
}

// mountCgroups mounts the hierarchies of a version, with all controllers enabled.
func mountCgroups(version string) error {
	const top = "/sys/fs/cgroup"
	const safe = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if version == "v1" {
		return mountV1(top, safe)
	}
	if err := mount("cgroup2", top, safe, "nsdelegate,memory_recursiveprot"); err != nil {
		return err
	}
	text, err := os.ReadFile(top + "/cgroup.controllers")
	if err != nil {
		return err
	}
	for _, controller := range strings.Fields(string(text)) {
		file := top + "/cgroup.subtree_control"
		if err := os.WriteFile(file, []byte("+"+controller), 0); err != nil {
			return err
		}
	}
	return nil
}

func mountV1(top string, flags uintptr) error {
	if err := mount("tmpfs", top, flags, "mode=755"); err != nil {
		return err
	}
	for _, controllers := range []string{
		"cpu,cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids",
	} {
		// A kernel may lack one.
		if err := mount("cgroup", filepath.Join(top, controllers), flags, controllers); err != nil {
			fmt.Println("init:", err)
		}
	}
	return nil
}

func mount(kind, path string, flags uintptr, options string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(kind, path, kind, flags, options); err != nil {
		return fmt.Errorf("mount %s on %s: %w", kind, path, err)
	}
	return nil
}
