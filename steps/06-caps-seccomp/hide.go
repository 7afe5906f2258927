package capsseccomp

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// hide covers what no namespace divides: files in /proc and /sys that show, or
// steer, the whole machine. Uid 0 inside may be uid 0 of the host, and it owns
// them.
func hide(c *container.Container) error {
	if c.Security.Unmasked {
		return nil
	}
	if err := checkNull(); err != nil {
		return err
	}
	for _, path := range masked() {
		if err := mask(path); err != nil {
			return err
		}
	}
	if err := maskThermal(); err != nil {
		return err
	}
	for _, path := range readOnly() {
		if err := protect(path); err != nil {
			return err
		}
	}
	return nil
}

// masked are the paths that Docker hides. Few machines have all of them.
func masked() []string {
	return []string{
		"/proc/acpi",                    // firmware: power, lids, fans
		"/proc/asound",                  // sound cards
		"/proc/interrupts",              // the timing of other people's keys and packets
		"/proc/kcore",                   // all of the memory, as a file
		"/proc/keys",                    // the kernel's keyrings, which no namespace divides
		"/proc/latency_stats",           // where other processes wait
		"/proc/sched_debug",             // names of the host's processes
		"/proc/scsi",                    // disks can be removed here
		"/proc/timer_list",              // addresses in the kernel
		"/proc/timer_stats",             // names of the host's processes
		"/sys/devices/virtual/powercap", // power used, from which keys can be guessed
		"/sys/firmware",                 // ACPI tables, EFI variables
	}
}

// readOnly are the paths that may be read and not written: the kernel's settings.
func readOnly() []string {
	return []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
}

// checkNull sees to it that /dev/null is what it seems: a volume may have put a
// link there, and then nothing would be hidden (CVE-2025-31133).
func checkNull() error {
	var found unix.Stat_t
	// Look at it, and do not follow a link.
	if err := unix.Lstat("/dev/null", &found); err != nil {
		return fmt.Errorf("lstat /dev/null: %w", err)
	}
	if found.Mode&unix.S_IFMT != unix.S_IFCHR || found.Rdev != unix.Mkdev(1, 3) {
		return errors.New("lstat /dev/null: it is not the null device")
	}
	return nil
}

// mask covers a file with /dev/null, a directory with an empty file system.
func mask(path string) error {
	// Who opens it gets /dev/null: reads find nothing, writes go nowhere.
	err := unix.Mount("/dev/null", path, "", unix.MS_BIND, "")
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil // hidden, or there is no such thing here
	}
	if !errors.Is(err, unix.ENOTDIR) {
		return fmt.Errorf("mount /dev/null on %s: %w", path, err)
	}
	const flags = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	// It is a directory: an empty one, to which nothing can be added, covers it.
	if err := unix.Mount("tmpfs", path, "tmpfs", flags, "nr_inodes=1"); err != nil {
		return fmt.Errorf("mount tmpfs on %s: %w", path, err)
	}
	return nil
}

// maskThermal hides how often each CPU was slowed down: it tells what others do.
func maskThermal() error {
	for n := 0; ; n++ {
		cpu := "/sys/devices/system/cpu/cpu" + strconv.Itoa(n)
		var found unix.Stat_t
		// Is there such a CPU?
		err := unix.Stat(cpu, &found)
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("stat %s: %w", cpu, err)
		}
		if err := mask(cpu + "/thermal_throttle"); err != nil {
			return err
		}
	}
}

// protect makes a part of /proc read-only: a mount of its own, which can be.
func protect(path string) error {
	// The same files once more, as a mount point.
	err := unix.Mount(path, path, "", unix.MS_BIND|unix.MS_REC, "")
	if errors.Is(err, unix.ENOENT) {
		return nil // not on this kernel
	}
	if err != nil {
		return fmt.Errorf("mount %s on itself: %w", path, err)
	}
	const flags = unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY |
		unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	// Now it is read-only, though the files' own permissions would let root write.
	if err := unix.Mount("", path, "", flags, ""); err != nil {
		return fmt.Errorf("mount %s read-only: %w", path, err)
	}
	return nil
}
