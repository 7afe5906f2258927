package namespaces

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// A new proc shows the PID namespace of its mounter, a new sysfs the devices of
// its network namespace, and only root of that namespace may mount one. Where
// the namespace is the host's and our root is not, the host's own is attached.
// In a user namespace a new one has to be made before the old root goes.

func ownProc(c *container.Container) bool { return !c.InUserNS() || c.PID.Own() }
func ownSys(c *container.Container) bool  { return !c.InUserNS() }

// takeKernelFiles picks up the host's /proc and /sys where we cannot mount our own.
func takeKernelFiles(c *container.Container) error {
	if !ownProc(c) {
		if err := take(c, "/proc", "/proc", false); err != nil {
			return err
		}
	}
	if ownSys(c) {
		return nil
	}
	if c.Net.Own() {
		err := prepareSys(c)
		if !errors.Is(err, unix.EPERM) {
			return err
		}
	}
	return take(c, "/sys", "/sys", true)
}

// prepareSys makes a sysfs that shows our network namespace's interfaces. It is
// attached nowhere yet, and so survives the change of root.
func prepareSys(c *container.Container) error {
	// A file system that is still to be configured (fsopen(2)).
	fs, err := unix.Fsopen("sysfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return fmt.Errorf("fsopen sysfs: %w", err)
	}
	// The mount stays without it.
	defer unix.Close(fs)
	// There is nothing to configure: it shows the network namespace that we are in.
	if err := unix.FsconfigCreate(fs); err != nil {
		return fmt.Errorf("fsconfig sysfs: %w", err)
	}
	const flags = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID |
		unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC
	// A user namespace gets a mount of it only while another /sys can be seen.
	fd, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, flags)
	if err != nil {
		return fmt.Errorf("fsmount sysfs: %w", err)
	}
	c.Keep("/sys", fd)
	return nil
}

// mountProc mounts /proc, and mountSys /sys, in which there are no files on a
// disk: the kernel answers every read.
func mountProc(c *container.Container) error {
	if err := procPoint(); err != nil {
		return err
	}
	if !ownProc(c) {
		return attach(c, "/proc", "/proc")
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	// ps reads /proc: a new one shows our PID namespace only. A user namespace may
	// mount one only while another /proc can be seen: the old root still has it.
	if err := unix.Mount("proc", "/proc", "proc", flags, ""); err != nil {
		return fmt.Errorf("mount proc on /proc: %w", err)
	}
	return nil
}

// procPoint makes the directory /proc, or sees to it that it is one: the old root
// can still be reached, and a link might lead there.
func procPoint() error {
	var found unix.Stat_t
	// Look, and do not follow.
	err := unix.Lstat("/proc", &found)
	if errors.Is(err, unix.ENOENT) {
		return makeDir("/proc")
	}
	if err != nil {
		return fmt.Errorf("lstat /proc: %w", err)
	}
	if found.Mode&unix.S_IFMT != unix.S_IFDIR {
		return fmt.Errorf("mount proc on /proc: %w", unix.ENOTDIR)
	}
	return nil
}

func mountSys(c *container.Container) error {
	if err := mountPoint("/sys"); err != nil {
		return err
	}
	if !ownSys(c) {
		return attach(c, "/sys", "/sys")
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_RDONLY
	// Devices and drivers, read-only: writing here would change the host's.
	if err := unix.Mount("sysfs", "/sys", "sysfs", flags, ""); err != nil {
		return fmt.Errorf("mount sysfs on /sys: %w", err)
	}
	return nil
}
