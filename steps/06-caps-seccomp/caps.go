// Package capsseccomp is step 6: take from root what it could do to the host.
//
// The kernel hardly ever asks whether a process is root. It asks for one of some
// forty capabilities (capabilities(7)), and root is a process that has them all:
// one to change the owner of a file, one to bind port 80, one to load a module.
// A container keeps the few that the programs in it need. What is left of the
// kernel is still 400 system calls, each with its own bugs, so a filter lets only
// those through that ordinary programs make (seccomp.go).
//
// Neither is a wall around a file: what root may still do, it may do to every file
// that it can name. That is why the root directory was changed first.
package capsseccomp

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// Step gives up, right before the command starts, all but a few powers.
var Step = container.Step{
	Name:   "caps-seccomp",
	Adds:   "root without most of its powers: few capabilities, a filter on system calls",
	Child:  setOOMScore,
	Inside: hide,
	Last:   restrict,
}

// restrict is a one-way street, so its order is the lesson: each line takes away
// what the lines below it must not need.
func restrict(c *container.Container) error {
	if err := joinKeyring(); err != nil {
		return err
	}
	if err := setLimits(c); err != nil {
		return err
	}
	if err := dropBounding(c); err != nil {
		return err
	}
	if !c.Security.NoNewPrivs {
		// Only CAP_SYS_ADMIN may load a filter without no_new_privs, and it goes below.
		if err := loadFilter(c); err != nil {
			return err
		}
	}
	if err := container.Become(c); err != nil {
		return err
	}
	if err := dropCapabilities(c); err != nil {
		return err
	}
	if !c.Security.NoNewPrivs {
		return nil
	}
	if err := refusePrivileges(c); err != nil {
		return err
	}
	return loadFilter(c)
}

// dropBounding takes all capabilities but those to be kept out of the bounding
// set: the most that any execve of ours, or of a child, can ever give again.
func dropBounding(c *container.Container) error {
	for n := uintptr(0); ; n++ {
		if c.Security.Capabilities&(1<<n) != 0 {
			continue
		}
		// Gone for good: not even a file that carries it can bring it back.
		err := unix.Prctl(unix.PR_CAPBSET_DROP, n, 0, 0, 0)
		if errors.Is(err, unix.EINVAL) && !exists(n) {
			return dropBoundingInThreads(c, n) // the kernel knows no more of them
		}
		if err != nil {
			return fmt.Errorf("prctl PR_CAPBSET_DROP %d: %w", n, err)
		}
	}
}

// exists tells that the kernel knows a capability of that number.
func exists(n uintptr) bool {
	// Is it in the bounding set? There is no answer for one that does not exist.
	return unix.Prctl(unix.PR_CAPBSET_READ, n, 0, 0, 0) == nil
}

// dropCapabilities sets what this process has now. Root keeps what the bounding
// set has; another user has lost everything with its uid, and gets nothing.
func dropCapabilities(c *container.Container) error {
	keep := c.Security.Capabilities
	if c.Account.UID != 0 {
		keep = 0
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{ // 32 capabilities each
		{Effective: uint32(keep), Permitted: uint32(keep)},
		{Effective: uint32(keep >> 32), Permitted: uint32(keep >> 32)},
	}
	// What it may do, and may take up again. Nothing is inheritable, and so nothing
	// ambient: a program started by another user inside is given no capability.
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("capset %#x: %w", keep, err)
	}
	return dropInThreads(c, &header, &data)
}

// refusePrivileges makes set-uid bits and file capabilities mean nothing.
func refusePrivileges(c *container.Container) error {
	// From here on no execve gives more than there is: sudo and ping included.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl PR_SET_NO_NEW_PRIVS: %w", err)
	}
	return prctlInThreads(c, unix.PR_SET_NO_NEW_PRIVS, 1)
}
