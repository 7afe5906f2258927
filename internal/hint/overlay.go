package hint

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// overlayRules are those of step 4.
func overlayRules() []rule {
	return []rule{
		{"mount overlay", unix.ENODEV, noOverlay},
		{"mount overlay", unix.EPERM, overlayForbidden},
		{"mount overlay", unix.EINVAL, overlayInvalid},
		{"mount overlay", unix.ELOOP, overlapping},
		{"mount overlay", unix.EBUSY, upperInUse},
		{"mount overlay", unix.E2BIG, longOptions},
		{"setxattr user.overlay", unix.EOPNOTSUPP, noMarksInMemory},
		{"upper directory", unix.EBUSY, upperInUse},
	}
}

func noOverlay() []string {
	return []string{"this kernel has no overlay file system: load it with modprobe overlay, " +
		"or take a kernel with CONFIG_OVERLAY_FS"}
}

// overlayForbidden explains why a user namespace may not mount one.
func overlayForbidden() []string {
	if inUserNamespace() {
		return oldKernel("overlay in a user namespace", "5.11")()
	}
	return mountForbidden()
}

func overlayInvalid() []string {
	hints := kernelSaysOverlay()
	if inUserNamespace() {
		hints = append(hints, oldKernel("overlay in a user namespace", "5.11")()...)
		hints = append(hints, oldKernel("overlay of directories with mapped owners (--userns remap)",
			"5.19")()...)
	}
	return append(hints, "the upper directory has to be on a local file system such as ext4, xfs, "+
		"btrfs or tmpfs: kit's own is in the cache, which KIT_CACHE puts elsewhere")
}

func longOptions() []string {
	return []string{"the kernel takes one page of mount options: fewer layers, or shorter paths"}
}

func noMarksInMemory() []string {
	return append(oldKernel("user.* attributes in memory (tmpfs)", "6.6")(),
		"without them nothing of a lower directory could be deleted: put KIT_CACHE on a disk")
}

func overlapping() []string {
	return append(kernelSaysOverlay(), "the layers and the upper directory must not lie in one another")
}

func upperInUse() []string {
	return []string{"what two containers see of a directory that one of them writes to, the kernel " +
		"leaves open: give each a directory of its own"}
}

func inUserNamespace() bool {
	m, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(m)), " ") != "0 0 4294967295"
}

// kernelSaysOverlay quotes what the kernel has just logged about an overlay.
func kernelSaysOverlay() []string {
	line := lastLogged("overlay", time.Second)
	if line == "" {
		return nil
	}
	return []string{"the kernel says: " + line}
}

// lastLogged is the last line of the kernel's log that begins with a word, if it
// is not older than that (Documentation/ABI/testing/dev-kmsg). Where we may not
// read the log there is none.
func lastLogged(word string, age time.Duration) (last string) {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return ""
	}
	record := make([]byte, 8<<10) // one at a time: the kernel's longest
	for {
		n, err := unix.Read(fd, record)
		if errors.Is(err, unix.EPIPE) {
			continue // overwritten before we came to it
		}
		if err != nil {
			return last
		}
		head, text, _ := strings.Cut(string(record[:n]), ";")
		text, _, _ = strings.Cut(text, "\n")
		fields := strings.Split(head, ",") // level, number, microseconds, flags
		if len(fields) < 3 || !strings.HasPrefix(text, word) {
			continue
		}
		micros, err := strconv.ParseInt(fields[2], 10, 64)
		if err == nil && time.Duration(now.Nano())-time.Duration(micros)*time.Microsecond < age {
			last = text
		}
	}
}
