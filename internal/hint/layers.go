package hint

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// unfitLayers says which directory of an overlay that could not be mounted is none that the
// kernel takes, and why. Text is the error, with the mount's options in it.
func unfitLayers(text string) []string {
	lower, upper := layersOf(text)
	hints := unfitUpper(upper)
	if !inUserNamespace() {
		return hints
	}
	for _, dir := range lower {
		hints = append(hints, mountsBelow(dir)...)
	}
	return hints
}

// unfitUpper looks at the file system of the upper directory, or of the one that it was to
// be made in.
func unfitUpper(dir string) []string {
	const where = "put it on ext4, xfs, btrfs or tmpfs"
	var st unix.Statfs_t
	err := unix.Statfs(dir, &st)
	if errors.Is(err, unix.ENOENT) {
		err = unix.Statfs(filepath.Dir(dir), &st)
	}
	switch {
	case dir == "" || err != nil:
		return nil
	case st.Type == unix.OVERLAYFS_SUPER_MAGIC:
		return []string{
			dir + " lies on an overlay, as the files of an outer container do: it can hold neither " +
				"the whiteouts nor the marks of another one",
			where + ", such as /dev/shm or a volume of the outer container; KIT_CACHE puts kit's " +
				"own elsewhere",
		}
	case st.Type == unix.NFS_SUPER_MAGIC, st.Type == unix.FUSE_SUPER_MAGIC,
		st.Type == unix.V9FS_MAGIC, st.Type == unix.MSDOS_SUPER_MAGIC, st.Type == unix.CIFS_SUPER_MAGIC:
		return []string{
			dir + " lies on a file system of another machine or kind, which lacks what an overlay's " +
				"upper directory takes (" + filesystem(dir) + ")",
			where,
		}
	}
	return nil
}

// mountsBelow is about a layer with other mounts in it: they came with the mounts of another
// user namespace, and so cover what this one must not see.
func mountsBelow(dir string) []string {
	list, err := mountinfo.GetMounts(mountinfo.PrefixFilter(dir))
	if err != nil {
		return nil
	}
	var below []string
	for _, m := range list {
		if m.Mountpoint != dir {
			below = append(below, m.Mountpoint)
		}
	}
	if len(below) == 0 {
		return nil
	}
	return []string{
		fmt.Sprintf("there are mounts below %s (%s and %d more), and without root nobody may look at "+
			"what they cover, as a layer would show it", dir, below[0], len(below)-1),
		"take a directory without mounts in it, or run kit as root",
	}
}

// filesystem is the name of that of a directory, as in mount(8).
func filesystem(dir string) string {
	list, err := mountinfo.GetMounts(mountinfo.ParentsFilter(dir))
	if err != nil || len(list) == 0 {
		return "unknown"
	}
	best := list[0]
	for _, m := range list {
		if len(m.Mountpoint) >= len(best.Mountpoint) { // the last one is on top
			best = m
		}
	}
	return best.FSType
}

// layersOf reads the layers in the options of an overlay.
func layersOf(text string) (lower []string, upper string) {
	_, rest, _ := strings.Cut(text, "lowerdir=")
	lowers, rest := until(rest, ',')
	for lowers != "" {
		var dir string
		dir, lowers = until(lowers, ':')
		lower = append(lower, plain(dir))
	}
	if option, ok := strings.CutPrefix(rest, "upperdir="); ok {
		upper, _ = until(option, ',')
	}
	return lower, plain(upper)
}

// until cuts a text at a separator that has no backslash before it.
func until(text string, separator byte) (before, after string) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case separator:
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// plain takes the backslashes out that keep a path in one piece.
func plain(option string) string {
	var b strings.Builder
	for i := 0; i < len(option); i++ {
		if option[i] == '\\' && i+1 < len(option) {
			i++
		}
		b.WriteByte(option[i])
	}
	return b.String()
}
