package overlay

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// refuseShared sees to it that no running container writes to a directory that
// we would use, nor we to one of its layers: what each of the two would see, the
// kernel leaves open.
func refuseShared(c *container.Container) (busy error) {
	// One kit at a time asks and says what it uses.
	err := c.Exclusive(func(others []*container.Container) error {
		for _, o := range others {
			if dir := conflict(c, o); dir != "" && o.Runs() {
				busy = fmt.Errorf("upper directory %s: container %s: %w", dir, o.Name, unix.EBUSY)
			}
		}
		return nil
	})
	if busy != nil || !c.Named {
		return busy // where nothing can be written down, nobody can be found
	}
	return err
}

// conflict finds a directory that one of two containers writes to and that the
// other uses, or a part of it.
func conflict(a, b *container.Container) string {
	for _, pair := range [][2]*container.Container{{a, b}, {b, a}} {
		upper, other := pair[0].Layers.Upper, pair[1]
		for _, dir := range append(lowers(other), other.Layers.Upper) {
			if upper != "" && strings.HasPrefix(dir+"/", upper+"/") {
				return dir
			}
		}
	}
	return ""
}

// lowers are a container's lower directories, the lowest first.
func lowers(c *container.Container) []string {
	return append([]string{c.Root}, c.Layers.Lower...)
}

// makeUpper finishes the upper directory, and makes the one that --upper names.
func makeUpper(c *container.Container, own int) error {
	l := c.Layers
	if l.Upper == "" {
		return dress(c, own, "upper")
	}
	// A workshop beside it, on the same file system.
	work, err := makeDirectory(l.Work)
	if err != nil {
		return err
	}
	c.Keep(workDir, work)
	if err := tryMark(c, work, l.Work); err != nil {
		return err
	}
	// It stays when the container has gone.
	err = unix.Mkdir(l.Upper, 0o700)
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("mkdir %s: %w", l.Upper, err)
	}
	return dress(c, unix.AT_FDCWD, l.Upper)
}

// dress gives a new upper directory the mode and the owner of the layer below it.
func dress(c *container.Container, dir int, name string) error {
	all := lowers(c)
	below := all[len(all)-1]
	var st unix.Stat_t
	// The container's "/" takes both from its topmost layer, which is the new one.
	if err := unix.Stat(below, &st); err != nil {
		return fmt.Errorf("stat %s: %w", below, err)
	}
	// Not everybody in the container is root, and all have to get in.
	if err := unix.Fchmodat(dir, name, st.Mode&0o7777, 0); err != nil {
		return fmt.Errorf("chmod %s: %w", name, err)
	}
	// Those that it belongs to keep it.
	err := unix.Fchownat(dir, name, int(st.Uid), int(st.Gid), unix.AT_SYMLINK_NOFOLLOW)
	if c.Rootless && errors.Is(err, unix.EINVAL) {
		return nil // an owner who has no id in our user namespace
	}
	if err != nil {
		return fmt.Errorf("chown %s: %w", name, err)
	}
	return nil
}

// tryMark tells whether files can have a user's own attributes there, in which
// the overlay of a user namespace keeps its marks. It could be mounted without
// them, but nothing of a lower directory could be removed then.
func tryMark(c *container.Container, fd int, dir string) error {
	if !c.InUserNS() {
		return nil
	}
	// In memory (tmpfs) since Linux 6.6 only.
	if err := unix.Fsetxattr(fd, "user.overlay", nil, 0); err != nil {
		return fmt.Errorf("setxattr user.overlay %s: %w", dir, err)
	}
	return nil
}
