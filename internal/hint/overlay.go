package hint

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// overlayRules are those of step 4.
func overlayRules(text string) []rule {
	return []rule{
		{"mount overlay", unix.ENODEV, noOverlay},
		{"mount overlay", unix.EPERM, overlayForbidden},
		{"mount overlay", unix.EINVAL, overlayInvalid(text)},
		{"mount overlay", unix.ELOOP, overlapping},
		{"mount overlay", unix.EBUSY, upperInUse},
		{"mount overlay", unix.E2BIG, longOptions},
		{"setxattr user.overlay", unix.EOPNOTSUPP, noMarks},
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
		return append(ifOlder("overlay in a user namespace", "5.11"), mountForbidden()...)
	}
	return mountForbidden()
}

// overlayInvalid looks for the reason in what the kernel says, and in the directories.
func overlayInvalid(text string) func() []string {
	return func() []string {
		hints := append(kernelSaysOverlay(), unfitLayers(text)...)
		if inUserNamespace() {
			hints = append(hints, ifOlder("overlay in a user namespace", "5.11")...)
			hints = append(hints, ifOlder("overlay of directories with mapped owners (--userns remap)",
				"5.19")...)
		}
		if len(hints) > 0 {
			return hints
		}
		return upperIsLocal()
	}
}

func upperIsLocal() []string {
	return []string{"the upper directory has to be on a local file system such as ext4, xfs, " +
		"btrfs or tmpfs: kit's own is in the cache, which KIT_CACHE puts elsewhere"}
}

func longOptions() []string {
	return []string{"the kernel takes one page of mount options: fewer layers, or shorter paths"}
}

func noMarks() []string {
	return append(ifOlder("user.* attributes of files in memory (tmpfs)", "6.6"),
		"the overlay of a user namespace keeps its marks in them: put KIT_CACHE, or what --upper "+
			"names, on a disk")
}

func overlapping() []string {
	return append(kernelSaysOverlay(),
		"the layers and the upper directory must not lie in one another")
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
// is not older than that. It asks syslog(2), since /dev/kmsg is not among a
// container's devices. Where we may not read the log there is none.
func lastLogged(word string, age time.Duration) string {
	size, err := unix.Klogctl(unix.SYSLOG_ACTION_SIZE_BUFFER, nil)
	if err != nil {
		return ""
	}
	text := make([]byte, size)
	n, err := unix.Klogctl(unix.SYSLOG_ACTION_READ_ALL, text)
	var now unix.Timespec
	if err != nil || unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return ""
	}
	for _, line := range slices.Backward(strings.Split(string(text[:n]), "\n")) {
		// <4>[16204.008081] overlay: filesystem on ...
		head, message, ok := strings.Cut(line, "] ")
		_, stamp, _ := strings.Cut(head, "[")
		seconds, err := strconv.ParseFloat(strings.TrimSpace(stamp), 64)
		if !ok || err != nil || !strings.HasPrefix(message, word) {
			continue
		}
		if time.Duration(now.Nano()-int64(seconds*1e9)) < age {
			return message
		}
		return ""
	}
	return ""
}
