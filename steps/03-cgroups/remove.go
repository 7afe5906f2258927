package cgroups

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// remove takes the container's cgroups away: the kernel keeps them until
// somebody does. It needs nothing but their names.
func remove(c *container.Container) error {
	noteEvents(c)
	var errs error
	for _, dir := range slices.Backward(c.Cgroups) {
		if err := removeBusy(dir, c.Cgroups); err != nil {
			errs = errors.Join(errs, err)
		}
		if isV2(path.Dir(dir)) {
			giveRoomBack(path.Dir(dir))
		}
	}
	return errs
}

// removeBusy removes a cgroup. Processes that are still in it are ended, in all
// of the container's cgroups.
func removeBusy(dir string, all []string) (err error) {
	const patience = 2 * time.Second
	for pause := time.Millisecond; pause < patience; pause *= 2 {
		if err = removeCgroup(dir); !errors.Is(err, unix.EBUSY) {
			return err
		}
		for _, d := range all {
			endAll(d)
		}
		for _, name := range children(dir) {
			// The command may have made cgroups of its own.
			_ = removeBusy(dir+"/"+name, nil)
		}
		wait := unix.NsecToTimespec(pause.Nanoseconds())
		// What has just ended is counted for some milliseconds more.
		_ = unix.Nanosleep(&wait, nil)
	}
	return err
}

func removeCgroup(dir string) error {
	// A cgroup is gone with its directory; the files in it need not be removed.
	if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("rmdir %s: %w", dir, err)
	}
	return nil
}

// endAll ends all processes of a cgroup and of those in it.
func endAll(dir string) {
	// Under v1 what is frozen does not even die. (Under v2 it does.)
	_ = write(dir+"/freezer.state", "THAWED")
	// One write for all of them, which no fork escapes. Since Linux 5.14, v2 only.
	if write(dir+"/cgroup.kill", "1") == nil {
		return
	}
	for _, name := range children(dir) {
		endAll(dir + "/" + name)
	}
	list, _ := pids(dir) // the cgroup may be gone
	for _, pid := range list {
		// One by one; whom a fork saves meets us the next time.
		unix.Kill(pid, unix.SIGKILL)
	}
}
