package netns

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// A file that programs ask about names. The container sees one of its own, which
// lies on the host: there it can still be changed when others come and go.
type file struct{ name, path string }

func files() []file {
	return []file{
		{"hosts", "/etc/hosts"},             // names of computers (hosts(5))
		{"resolv.conf", "/etc/resolv.conf"}, // whom to ask for the others (resolv.conf(5))
		{"hostname", "/etc/hostname"},       // one's own (hostname(5))
	}
}

// makeFiles writes the files, and picks them up for the child. all are the lines
// of the containers on the bridge.
func makeFiles(c *container.Container, all string) error {
	if c.Net.Dir == "" {
		return nil
	}
	resolver, err := resolverText(c)
	if err != nil {
		return err
	}
	text := map[string]string{
		"hosts": hostsText(c, all), "resolv.conf": resolver, "hostname": c.Hostname + "\n",
	}
	// A directory for them, which goes with the container.
	if err := unix.Mkdir(c.Net.Dir, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("mkdir %s: %w", c.Net.Dir, err)
	}
	for _, f := range files() {
		path := c.Net.Dir + "/" + f.name
		if c.Net.Files != "" && f.name != "hostname" {
			path = c.Net.Files + "/" + f.name // the same network, the same names
		} else if err := create(path, text[f.name]); err != nil {
			return err
		}
		// A mount of this one file, attached nowhere yet: the child takes it inside.
		fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
		if err != nil {
			return fmt.Errorf("open_tree %s: %w", path, err)
		}
		attr := unix.MountAttr{Propagation: unix.MS_PRIVATE}
		// What is mounted on it inside, nobody outside sees.
		if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &attr); err != nil {
			return fmt.Errorf("mount_setattr %s: %w", path, err)
		}
		c.Hand(f.path, fd)
	}
	return nil
}

// showFiles puts the files where programs look for them.
func showFiles(c *container.Container) error {
	for _, f := range files() {
		fd, ok := c.File(f.path)
		if !ok || inVolume(c, f.path) {
			continue
		}
		if err := makePoint(f.path); err != nil {
			return err
		}
		// The container's own lies over that of the root file system.
		err := unix.MoveMount(fd, "", unix.AT_FDCWD, f.path, unix.MOVE_MOUNT_F_EMPTY_PATH)
		if err != nil {
			return fmt.Errorf("move_mount %s: %w", f.path, err)
		}
		// The mount stays without the descriptor.
		unix.Close(fd)
	}
	return nil
}

// inVolume tells that the user shows a file of the host's there, or the host's /etc.
func inVolume(c *container.Container, path string) bool {
	return slices.ContainsFunc(c.Volumes, func(v container.Volume) bool {
		return path == v.Target || strings.HasPrefix(path, v.Target+"/")
	})
}

// makePoint makes a file to mount on, in place of a link, or of a FIFO, which waits.
func makePoint(path string) error {
	var found unix.Stat_t
	// Look, and do not follow.
	err := unix.Lstat(path, &found)
	if err == nil && found.Mode&unix.S_IFMT == unix.S_IFREG {
		return nil
	}
	if err == nil && found.Mode&unix.S_IFMT != unix.S_IFDIR {
		// The overlay remembers that it is gone; below it stays.
		if err := unix.Unlink(path); err != nil {
			return fmt.Errorf("unlink %s: %w", path, err)
		}
	}
	// /etc, if even that is missing.
	if err := unix.Mkdir("/etc", 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("mkdir /etc: %w", err)
	}
	return create(path, "")
}

// create makes a file that everybody may read.
func create(path, text string) error {
	// Not with O_TRUNC alone: one that a killed kit has left is written anew.
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	// It is complete by then.
	defer unix.Close(fd)
	// Readable for all, whatever kit's umask is.
	if err := unix.Fchmod(fd, 0o644); err != nil {
		return fmt.Errorf("fchmod %s: %w", path, err)
	}
	// All of it.
	if _, err := unix.Write(fd, []byte(text)); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// removeFiles removes what makeFiles has made.
func removeFiles(c *container.Container) (err error) {
	if c.Net.Dir == "" {
		return nil
	}
	for _, f := range files() {
		path := c.Net.Dir + "/" + f.name
		// Nobody sees it any more.
		if e := unix.Unlink(path); e != nil && !errors.Is(e, unix.ENOENT) {
			err = errors.Join(err, fmt.Errorf("unlink %s: %w", path, e))
		}
	}
	// Empty by now, unless that has failed.
	if e := unix.Rmdir(c.Net.Dir); err == nil && e != nil && !errors.Is(e, unix.ENOENT) {
		err = fmt.Errorf("rmdir %s: %w", c.Net.Dir, e)
	}
	return err
}
