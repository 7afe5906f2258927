package overlay

import (
	"fmt"
	"path"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// A diff is what has been found so far, a line each.
type diff struct {
	lines       []string
	mountPoints []string
}

// tell adds a line. A name can contain anything, the end of a line too.
func (d *diff) tell(kind, name, remark string) {
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		name = quoted
	}
	d.lines = append(d.lines, kind+" "+name+remark)
}

// compare lists what an upper directory changes in the lower ones of the same
// path, of which the topmost comes first. It tells whether mount points were
// left out.
func (d *diff) compare(dir string, upper int, lower []int) (left bool, err error) {
	names, err := list(upper)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", dir, err)
	}
	for _, name := range names {
		leftHere, err := d.entry(path.Join(dir, name), upper, lower)
		if err != nil {
			return left, err
		}
		left = left || leftHere
	}
	return left, nil
}

// entry does the same for one name in a directory.
func (d *diff) entry(at string, upper int, lower []int) (left bool, err error) {
	now, err := look(upper, path.Base(at))
	if err != nil {
		return false, err
	}
	before, below, err := lookup(lower, path.Base(at))
	// Compared by then.
	defer closeAll(below)
	switch {
	case err != nil:
		return false, err
	case now.isWhiteout() && before.there():
		d.tell("D", at, "")
	case now.isWhiteout():
		// It hides nothing.
	case now.isDir():
		return d.directory(at, upper, now, before, below)
	case before.there():
		d.tell("C", at, "")
	case now.Size == 0 && slices.Contains(d.mountPoints, at):
		return true, nil
	default:
		d.tell("A", at, "")
	}
	return false, nil
}

// directory tells of a directory, if it has changed itself, and of what is in it.
func (d *diff) directory(
	at string, upper int, now, before inode, below []int,
) (left bool, err error) {
	fd, err := openDir(upper, path.Base(at))
	if err != nil {
		return false, err
	}
	// It has been read.
	defer unix.Close(fd)
	line := len(d.lines)
	merged := before.isDir()
	switch {
	case !before.there():
		d.tell("A", at, "")
	case merged && isOpaque(fd):
		d.tell("C", at, " (opaque)")
		merged, below = false, nil
	default:
		d.tell("C", at, "")
	}
	left, err = d.compare(at, fd, below)
	empty := len(d.lines) == line+1
	switch {
	case err != nil:
		return false, err
	case merged && now.same(before), merged && empty && left && now.sameOwner(before):
		// Only on the way to a change, or to a mount point.
	case !before.there() && empty && (left || slices.Contains(d.mountPoints, at)):
		left = true
	default:
		return left, nil
	}
	d.lines = slices.Delete(d.lines, line, line+1)
	return left, nil
}
