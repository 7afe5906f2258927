package namespaces

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// A node is a device that every program expects. It holds no data: the kernel
// finds the driver by the two numbers (Documentation/admin-guide/devices.txt).
type node struct {
	path         string
	major, minor uint32
}

func nodes() []node {
	return []node{
		{"/dev/null", 1, 3},    // swallows everything
		{"/dev/zero", 1, 5},    // endless zeros
		{"/dev/full", 1, 7},    // a disk that is always full
		{"/dev/random", 1, 8},  // random bytes
		{"/dev/urandom", 1, 9}, // the same, never waits
		{"/dev/tty", 5, 0},     // the controlling terminal, whichever it is
	}
}

// takeNodes picks up the host's nodes where we may not make our own: mknod
// needs CAP_MKNOD in the initial user namespace.
func takeNodes(c *container.Container) error {
	if !c.InUserNS() {
		return nil
	}
	for _, n := range nodes() {
		if err := take(c, n.path, n.path, false); err != nil {
			return err
		}
	}
	return nil
}

// mountDev makes /dev: six devices, the terminals, and shared memory. The
// host's disks and all other hardware stay out.
func mountDev(c *container.Container) error {
	// Modes are meant as they are written here.
	mask := unix.Umask(0)
	err := fillDev(c)
	// The command gets the mask that kit was started with.
	unix.Umask(mask)
	return err
}

func fillDev(c *container.Container) error {
	if err := mountPoint("/dev"); err != nil {
		return err
	}
	// A small file system in memory, empty at first.
	if err := unix.Mount("tmpfs", "/dev", "tmpfs", unix.MS_NOSUID, "mode=755,size=64k"); err != nil {
		return fmt.Errorf("mount tmpfs on /dev: %w", err)
	}
	for _, n := range nodes() {
		if err := makeNode(c, n); err != nil {
			return err
		}
	}
	if err := linkDescriptors(); err != nil {
		return err
	}
	if err := mountTerminals(c); err != nil {
		return err
	}
	return mountShared(c)
}

func makeNode(c *container.Container, n node) error {
	if !c.InUserNS() {
		// A character device: its two numbers are all there is to it.
		err := unix.Mknod(n.path, unix.S_IFCHR|0o666, int(unix.Mkdev(n.major, n.minor)))
		if err != nil {
			return fmt.Errorf("mknod %s: %w", n.path, err)
		}
		return nil
	}
	// A user namespace may not make devices: mount the host's node on an empty file.
	if err := unix.Mknod(n.path, unix.S_IFREG|0o666, 0); err != nil {
		return fmt.Errorf("mknod %s: %w", n.path, err)
	}
	return attach(c, n.path, n.path)
}

// linkDescriptors makes the names that shells and scripts use for open files.
func linkDescriptors() error {
	for _, l := range []struct{ target, path string }{
		{"/proc/self/fd", "/dev/fd"},
		{"/proc/self/fd/0", "/dev/stdin"},
		{"/proc/self/fd/1", "/dev/stdout"},
		{"/proc/self/fd/2", "/dev/stderr"},
		{"pts/ptmx", "/dev/ptmx"},
	} {
		// A name for something that exists elsewhere.
		if err := unix.Symlink(l.target, l.path); err != nil {
			return fmt.Errorf("symlink %s: %w", l.path, err)
		}
	}
	return nil
}

// mountTerminals gives the container its own pseudoterminals (devpts in the
// kernel's filesystems documentation), numbered from 0.
func mountTerminals(c *container.Container) error {
	if err := makeDir("/dev/pts"); err != nil {
		return err
	}
	options := "newinstance,ptmxmode=0666,mode=0620"
	if !c.Rootless {
		options += ",gid=5" // the group tty: write(1) and wall(1) run as it
	}
	const flags = unix.MS_NOSUID | unix.MS_NOEXEC
	// The host's terminals cannot be seen here, nor ours there.
	if err := unix.Mount("devpts", "/dev/pts", "devpts", flags, options); err != nil {
		return fmt.Errorf("mount devpts on /dev/pts: %w", err)
	}
	return nil
}

// mountShared makes the places of POSIX shared memory and message queues.
func mountShared(c *container.Container) error {
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := makeDir("/dev/shm"); err != nil {
		return err
	}
	// shm_open(3) makes its files here.
	if err := unix.Mount("shm", "/dev/shm", "tmpfs", flags, "mode=1777,size=64m"); err != nil {
		return fmt.Errorf("mount tmpfs on /dev/shm: %w", err)
	}
	if err := makeDir("/dev/mqueue"); err != nil {
		return err
	}
	// mq_open(3) makes its queues here: those of our IPC namespace.
	err := unix.Mount("mqueue", "/dev/mqueue", "mqueue", flags, "")
	if errors.Is(err, unix.EPERM) && !c.IPC.Own() {
		return nil // someone else's IPC namespace, in which our root is nobody
	}
	if err != nil {
		return fmt.Errorf("mount mqueue on /dev/mqueue: %w", err)
	}
	return nil
}
