// Package overlay is step 4: let many containers share one root file system,
// each with its own changes on top.
//
// An overlay is a file system without a disk of its own. It shows several
// directories as one: the lower ones are only read, and whatever is written goes
// to the upper one. A file of a lower directory is copied up when it is first
// written to. What is deleted there is covered by a whiteout in the upper
// directory, a character device with the numbers 0/0, since it cannot be removed.
//
// The layers save space, they do not limit it: the upper directory can fill
// the disk that it is on.
package overlay

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// Step mounts an overlay, which becomes the root in place of the directory.
var Step = container.Step{
	Name:   "overlay",
	Adds:   "a root file system of its own to write to, on top of one that is shared",
	Before: makeRoom,
	Parent: mapLayers,
	Child:  stack,
	After:  remove,
}

// makeRoom makes the directories that the overlay needs besides the lower ones:
//
//	upper   the container's changes
//	work    where the kernel prepares a change, to put it into upper in one go
//	merged  all layers seen as one: the container's "/"
func makeRoom(c *container.Container) error {
	if err := refuseShared(c); err != nil {
		return err
	}
	own, err := ownDirectory(c)
	if err != nil {
		return err
	}
	if err := tryMark(c, own, c.Layers.Dir); err != nil {
		return err
	}
	for _, name := range []string{"upper", "work", "merged"} {
		// Nobody but us may enter: the container looks through the overlay.
		if err := unix.Mkdirat(own, name, 0o700); err != nil {
			return fmt.Errorf("mkdir %s/%s: %w", c.Layers.Dir, name, err)
		}
	}
	return makeUpper(c, own)
}

// stack mounts the overlay, in the container's own mount namespace: it goes
// when the container ends, however that comes about.
func stack(c *container.Container) error {
	p, err := findPlaces(c)
	if err != nil {
		return err
	}
	options := p.options()
	if c.InUserNS() {
		// Marks on files as a user's own attributes: those that overlay likes better,
		// named trusted.*, belong to the host's root (xattr(7)).
		options += ",userxattr"
	}
	// The kernel takes one page of options, and cuts off the rest without a word.
	if len(options) >= unix.Getpagesize() {
		return fmt.Errorf("mount overlay with %d bytes of options: %w", len(options), unix.E2BIG)
	}
	// From here on merged shows the layers, one on top of the other.
	if err := unix.Mount("overlay", p.merged, "overlay", 0, options); err != nil {
		return fmt.Errorf("mount overlay %s: %w", options, err)
	}
	return newRoot(c, p.merged)
}

// places are the directories of an overlay.
type places struct {
	lower               []string // the lowest first
	upper, work, merged string
}

// options are the mount options of overlay, in which the topmost layer comes
// first (Documentation/filesystems/overlayfs.rst).
func (p places) options() string {
	lower := ""
	for _, dir := range p.lower {
		lower = ":" + escape(dir) + lower
	}
	return "lowerdir=" + lower[1:] + ",upperdir=" + escape(p.upper) + ",workdir=" + escape(p.work)
}

// escape keeps a path in one piece: colons separate lower directories, and
// commas options.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `:`, `\:`, `,`, `\,`).Replace(path)
}
