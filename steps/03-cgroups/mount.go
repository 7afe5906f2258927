package cgroups

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// mountFlags: programs read here what they may use, and change nothing.
const mountFlags = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

const mountPoint = "/sys/fs/cgroup"

// furnish shows the container its cgroups, and the devices that it was given.
func furnish(c *container.Container) error {
	if err := mountTrees(); err != nil {
		return err
	}
	return makeDevices(c)
}

// mountTrees mounts the trees where everybody looks for them. A cgroup namespace
// shows the part below its root only.
func mountTrees() error {
	in, err := memberships()
	if err != nil {
		return err
	}
	v1 := slices.ContainsFunc(in, func(m membership) bool { return len(m.controllers) > 0 })
	switch {
	case v1:
		return mountV1(in)
	case len(in) > 0:
		return mountV2(mountPoint)
	}
	return nil
}

func mountV2(dir string) error {
	if isV2(dir) {
		// The host's is there already, and would not let the same tree cover it.
		if err := unix.Mount("tmpfs", dir, "tmpfs", mountFlags, "mode=755,size=4k"); err != nil {
			return fmt.Errorf("mount tmpfs on %s: %w", dir, err)
		}
	}
	// The one tree of v2.
	if err := unix.Mount("cgroup", dir, "cgroup2", mountFlags, ""); err != nil {
		return fmt.Errorf("mount cgroup2 on %s: %w", dir, err)
	}
	return nil
}

// mountV1 makes a directory for each tree of v1, and for v2's, where there is one.
func mountV1(in []membership) error {
	const flags = mountFlags &^ unix.MS_RDONLY
	// Directories to mount on.
	if err := unix.Mount("tmpfs", mountPoint, "tmpfs", flags, "mode=755,size=64k"); err != nil {
		return fmt.Errorf("mount tmpfs on %s: %w", mountPoint, err)
	}
	for _, m := range in {
		if err := m.mount(); err != nil {
			return err
		}
	}
	// Full, and read-only from here on.
	err := unix.Mount("", mountPoint, "", unix.MS_REMOUNT|unix.MS_BIND|mountFlags, "")
	if err != nil {
		return fmt.Errorf("mount %s read-only: %w", mountPoint, err)
	}
	return nil
}

// mount mounts a tree under a name of its own: v1's are called after their
// controllers.
func (m membership) mount() error {
	if len(m.controllers) == 0 {
		if err := makeDir(mountPoint + "/unified"); err != nil {
			return err
		}
		return mountV2(mountPoint + "/unified")
	}
	names := strings.Join(m.controllers, ",")
	dir := mountPoint + "/" + names
	if err := makeDir(dir); err != nil {
		return err
	}
	// The controllers tell which tree is meant.
	if err := unix.Mount("cgroup", dir, "cgroup", mountFlags, names); err != nil {
		return fmt.Errorf("mount cgroup %s on %s: %w", names, dir, err)
	}
	if len(m.controllers) == 1 {
		return nil
	}
	for _, name := range m.controllers {
		// Each controller is found by its own name, too.
		if err := unix.Symlink(names, mountPoint+"/"+name); err != nil {
			return fmt.Errorf("symlink %s/%s: %w", mountPoint, name, err)
		}
	}
	return nil
}

func makeDir(path string) error {
	// A directory to mount on.
	if err := unix.Mkdir(path, 0o755); err != nil {
		return fmt.Errorf("mkdir %s: %w", path, err)
	}
	return nil
}
