package namespaces

import (
	"fmt"
	"path"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// takeVolumes picks up the host's side of every --volume.
func takeVolumes(c *container.Container) error {
	for _, v := range c.Volumes {
		if err := take(c, "volume "+v.Target, v.Source, v.ReadOnly); err != nil {
			return fmt.Errorf("volume %s: %w", v.Target, err)
		}
	}
	return nil
}

// attachVolumes mounts the volumes, in the order in which they were given.
func attachVolumes(c *container.Container) error {
	for _, v := range c.Volumes {
		name := "volume " + v.Target
		if err := makeTarget(c, name, v.Target); err != nil {
			return fmt.Errorf("volume %s: %w", v.Target, err)
		}
		if err := attach(c, name, v.Target); err != nil {
			return fmt.Errorf("volume %s: %w", v.Target, err)
		}
	}
	return nil
}

// makeTarget makes what a volume is mounted on: a directory for a directory, an
// empty file for everything else.
func makeTarget(c *container.Container, name, target string) error {
	var found unix.Stat_t
	// It may be there already, in the root file system.
	if unix.Stat(target, &found) == nil {
		return nil
	}
	if err := makeParents(target); err != nil {
		return err
	}
	fd, _ := c.File(name)
	var source unix.Stat_t
	// Is a directory to be mounted, or a file?
	if err := unix.Fstat(fd, &source); err != nil {
		return fmt.Errorf("fstat: %w", err)
	}
	if source.Mode&unix.S_IFMT == unix.S_IFDIR {
		return makeDir(target)
	}
	// A file is mounted on a file.
	if err := unix.Mknod(target, unix.S_IFREG|0o644, 0); err != nil {
		return fmt.Errorf("mknod %s: %w", target, err)
	}
	return nil
}

// makeParents makes the directories above a path, outermost first.
func makeParents(target string) error {
	parent := path.Dir(target)
	if parent == "/" {
		return nil
	}
	if err := makeParents(parent); err != nil {
		return err
	}
	return mountPoint(parent)
}
