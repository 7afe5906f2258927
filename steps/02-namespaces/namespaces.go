// Package namespaces is step 2: give the command its own copy of the names that
// the kernel hands out: process ids, mounts, the hostname, IPC keys; with
// --userns also users, and with --time-offset the clocks.
//
// A namespace changes what a process can name, and so what it can reach. It
// does not limit how much a process may use: that is step 3. The network is
// still the host's until step 5.
package namespaces

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// Step clones the child into new namespaces and furnishes them.
var Step = container.Step{
	Name:   "namespaces",
	Adds:   "own process ids, mounts, hostname and IPC; pivot_root in place of chroot",
	Before: choose,
	Parent: mapRoot,
	Child:  detach,
	Root:   pivot,
	Inside: furnish,
}

// choose picks the namespaces that the one clone call will make.
func choose(c *container.Container) error {
	c.Attr.Cloneflags |= unix.CLONE_NEWNS | // its own mounts
		unix.CLONE_NEWUTS // its own hostname
	if c.PID.Own() {
		c.Attr.Cloneflags |= unix.CLONE_NEWPID // it becomes PID 1
		// A shell gives the keyboard back to whom it got it from. It could not name
		// a process group of the host's, so it gets it as a group of its own.
		c.Attr.Foreground = c.Foreground && !c.Init
	}
	if c.IPC.Own() {
		c.Attr.Cloneflags |= unix.CLONE_NEWIPC // its own shared memory, semaphores, queues
	}
	c.Devpts = true
	remap(c)
	if err := join(c); err != nil {
		return err
	}
	return shiftClocks(c)
}

// detach separates our mounts from the host's, and picks up from the host what
// the container will need of it, while it can still be seen.
func detach(c *container.Container) error {
	// Our mounts are copies, but they still share events with the host's: what
	// is mounted here would appear there. Cut that first.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount / private: %w", err)
	}
	if err := takeKernelFiles(c); err != nil {
		return err
	}
	if err := takeNodes(c); err != nil {
		return err
	}
	return takeVolumes(c)
}

// pivot makes the new root the root of the mount namespace. chroot only hides
// the old root; pivot_root moves it, so that it can be unmounted.
func pivot(c *container.Container) error {
	if err := mountRoot(c); err != nil {
		return err
	}
	// The new root and the old one change places. The old one now lies on top of
	// the new one, so no directory has to be made for it.
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root %s: %w", c.Root, err)
	}
	// Stand at the new "/".
	if err := unix.Chdir("/"); err != nil {
		return fmt.Errorf("chdir /: %w", err)
	}
	return nil
}

// furnish mounts what programs expect to find. All paths are looked up under
// the new "/", so that a link in the root file system leads nowhere else.
func furnish(c *container.Container) error {
	if err := mountProc(c); err != nil {
		return err
	}
	// The old root was only needed for that. It lies on top of "/", where ".." in a
	// link would lead to it; once it is unmounted, no path leads to the host's files.
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("umount old root: %w", err)
	}
	if err := mountSys(c); err != nil {
		return err
	}
	if err := mountDev(c); err != nil {
		return err
	}
	if err := attachVolumes(c); err != nil {
		return err
	}
	// Only our UTS namespace sees the new name.
	if err := unix.Sethostname([]byte(c.Hostname)); err != nil {
		return fmt.Errorf("sethostname %s: %w", c.Hostname, err)
	}
	return nil
}
