package overlay

import (
	"fmt"
	"path"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// beside is the name of a mount of the directory in which --upper is.
const beside = "beside"

// layer is the name of a mount of a lower directory, 0 for the root's own.
func layer(i int) string { return "lower" + strconv.Itoa(i) }

// mapLayers makes mounts of all layers in which the owners of files are mapped
// as the child's users are (--userns remap), as step 2 does with the root. The
// child, who may not even look at the host's paths, is given them open.
func mapLayers(c *container.Container) error {
	if c.UserNS != container.UserNSRemap {
		return nil
	}
	// The mapping is that of the child's user namespace.
	ns, err := unix.Open("/proc/"+strconv.Itoa(c.Pid)+"/ns/user", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open user namespace of %d: %w", c.Pid, err)
	}
	// The mounts remember the namespace by themselves.
	defer unix.Close(ns)
	if err := mapOwn(c, ns); err != nil {
		return err
	}
	for i, dir := range c.Layers.Lower {
		if err := handMapped(c, ns, layer(i+1), dir); err != nil {
			return err
		}
	}
	if c.Layers.Upper == "" {
		return nil
	}
	// Upper and work have to be on one mount: that of the directory above them.
	return handMapped(c, ns, beside, path.Dir(c.Layers.Upper))
}

// mapOwn gives the child the container's own directory, with places to mount on.
func mapOwn(c *container.Container, ns int) (err error) {
	own, _ := c.File(ownDir)
	names := []string{beside}
	for i := range lowers(c) {
		names = append(names, layer(i))
	}
	for _, name := range names {
		// Made before owners are mapped: after that, our root has no id there.
		if err := unix.Mkdirat(own, name, 0o700); err != nil {
			return fmt.Errorf("mkdir %s: %w", name, err)
		}
	}
	fd, inMemory := c.File(room)
	if !inMemory {
		if fd, err = take(own, ""); err != nil {
			return err
		}
		c.Hand(room, fd)
	}
	return setIDMap(fd, ns, c.Layers.Dir)
}

// handMapped gives the child a mount of dir in which owners are mapped.
func handMapped(c *container.Container, ns int, name, dir string) error {
	fd, err := take(unix.AT_FDCWD, dir)
	if err != nil {
		return err
	}
	c.Hand(name, fd)
	return setIDMap(fd, ns, dir)
}

// take copies the mount that a directory is on, and opens the copy there.
func take(at int, dir string) (fd int, err error) {
	const flags = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_EMPTY_PATH
	// The copy is attached nowhere: only such a one can still be mapped.
	fd, err = unix.OpenTree(at, dir, flags)
	if err != nil {
		return -1, fmt.Errorf("open_tree %s: %w", dir, err)
	}
	return fd, nil
}

// setIDMap maps the owners of files in a mount (mount_setattr(2)).
func setIDMap(fd, ns int, dir string) error {
	attr := unix.MountAttr{
		Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(ns), Propagation: unix.MS_PRIVATE,
	}
	// An owner of 0 on the disk is the child's root, and the other way round.
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		return fmt.Errorf("mount_setattr %s MOUNT_ATTR_IDMAP: %w", dir, err)
	}
	return nil
}

// mapped attaches what the parent has mapped, where the child stands.
func (p places) mapped(c *container.Container) (places, error) {
	if c.Layers.Upper != "" {
		p.upper, p.work = path.Join(beside, path.Base(p.upper)), path.Join(beside, path.Base(p.work))
		if err := attach(c, beside, beside); err != nil {
			return p, err
		}
	}
	for i := range p.lower {
		name := layer(i)
		p.lower[i] = name
		if i == 0 {
			name = container.RootMount
		}
		if err := attach(c, name, p.lower[i]); err != nil {
			return p, err
		}
	}
	return p, nil
}

// attach mounts an open mount at target.
func attach(c *container.Container, name, target string) error {
	fd, _ := c.File(name)
	// A layer of the overlay must be attached somewhere.
	err := unix.MoveMount(fd, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH)
	if err != nil {
		return fmt.Errorf("move_mount %s: %w", target, err)
	}
	// The mount stays without the descriptor.
	unix.Close(fd)
	return nil
}
