package cgroups

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// takeDevices picks up the host's nodes while they can be seen, where we may not
// make our own.
func takeDevices(c *container.Container) error {
	if !c.InUserNS() {
		return nil
	}
	for _, d := range c.Devices {
		// Of a user namespace's root even this node is opened with the host's rights.
		fd, err := unix.OpenTree(unix.AT_FDCWD, d.Source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
		if err != nil {
			return fmt.Errorf("open_tree %s: %w", d.Source, err)
		}
		c.Keep("device "+d.Target, fd)
	}
	return nil
}

// makeDevices makes the nodes of --device: what the rules allow can be opened
// only where there is a name for it.
func makeDevices(c *container.Container) error {
	// Modes are meant as they are on the host.
	mask := unix.Umask(0)
	var err error
	for _, d := range c.Devices {
		if err = makeDevice(c, d); err != nil {
			err = fmt.Errorf("device %s: %w", d.Target, err)
			break
		}
	}
	// The command gets the mask that kit was started with.
	unix.Umask(mask)
	return err
}

func makeDevice(c *container.Container, d container.Device) error {
	if err := makeParents(d.Target); err != nil {
		return err
	}
	// A node of step 2's may be there; the user's own takes its place.
	if err := unix.Unlink(d.Target); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unlink: %w", err)
	}
	if fd, ok := c.File("device " + d.Target); ok {
		return attach(fd, d.Target)
	}
	// The driver is found by the two numbers, whatever the name.
	if err := unix.Mknod(d.Target, d.Mode, int(unix.Mkdev(d.Major, d.Minor))); err != nil {
		return fmt.Errorf("mknod: %w", err)
	}
	// A group such as disk or video keeps its rights.
	if err := unix.Chown(d.Target, int(d.UID), int(d.GID)); err != nil {
		return fmt.Errorf("chown: %w", err)
	}
	return nil
}

// attach mounts the host's node on an empty file.
func attach(fd int, target string) error {
	// A file is mounted on a file.
	if err := unix.Mknod(target, unix.S_IFREG|0o666, 0); err != nil {
		return fmt.Errorf("mknod: %w", err)
	}
	// The node shows up here, and nowhere else.
	err := unix.MoveMount(fd, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH)
	if err != nil {
		return fmt.Errorf("move_mount: %w", err)
	}
	// The mount stays without the descriptor.
	unix.Close(fd)
	return nil
}

// makeParents makes the directories between /dev and a node.
func makeParents(target string) error {
	dir := path.Dir(target)
	if !strings.HasPrefix(dir, "/dev/") {
		return nil
	}
	if err := makeParents(dir); err != nil {
		return err
	}
	// As in /dev/dri/card0.
	if err := unix.Mkdir(dir, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("mkdir %s: %w", dir, err)
	}
	return nil
}
