//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// A room is a thread with a mount namespace of its own, for those tools that do not run on
// every machine as it is: without the v2 side of hybrid cgroups, and with a /run that is a
// tmpfs. What it starts sees the same. It ends with the program.
type room struct{ jobs chan func() }

// newRoom makes dirs anew where a tmpfs hides them.
func newRoom(dirs ...string) (*room, error) {
	r := &room{jobs: make(chan func())}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: nobody else may have this thread
		made <- furnish(dirs)
		for job := range r.jobs {
			job()
		}
	}()
	return r, <-made
}

func furnish(dirs []string) error {
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount / private: %w", err)
	}
	_ = unix.Unmount("/sys/fs/cgroup/unified", unix.MNT_DETACH) // if it is there
	// What the tools keep there goes away with the room: podman's locks and addresses.
	for _, dir := range []string{"/run", "/dev/shm", "/var/lib/cni"} {
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=1777"); err != nil {
			return fmt.Errorf("mount %s: %w", dir, err)
		}
	}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// do calls f on the room's thread.
func (r *room) do(f func() error) error {
	ended := make(chan error)
	r.jobs <- func() { ended <- f() }
	return <-ended
}
