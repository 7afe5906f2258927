// Package chroot is step 1: give the command its own idea of "/".
//
// Every process has a root directory, the place where a path that begins with
// "/" starts. chroot(2) changes it for the calling process, and its children
// inherit it. That is all it does. The processes, the network and the users are
// still the host's, and a process that may call chroot can call it again and
// walk out.
package chroot

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// Step changes the child's root directory.
var Step = container.Step{
	Name: "chroot",
	Adds: "a root directory of its own",
	Root: enter,
}

func enter(c *container.Container) error {
	// From here on the kernel starts every absolute path at the new root.
	if err := unix.Chroot(c.Root); err != nil {
		return fmt.Errorf("chroot %s: %w", c.Root, err)
	}
	// chroot does not move us: the working directory still lies outside, and a
	// relative path from there reaches the whole host.
	if err := unix.Chdir("/"); err != nil {
		return fmt.Errorf("chdir /: %w", err)
	}
	return nil
}
