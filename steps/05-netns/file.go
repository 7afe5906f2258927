package netns

import (
	"errors"
	"fmt"

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

// makeFiles writes the files, and picks them up for the child. The mates are on the
// same bridge.
func makeFiles(c *container.Container, mates []*container.Container) error {
	if c.Net.Dir == "" {
		return nil
	}
	resolver, err := resolverText(c)
	if err != nil {
		return err
	}
	text := map[string]string{
		"hosts": hostsText(c), "resolv.conf": resolver, "hostname": c.Hostname + "\n",
	}
	// A directory for them, which goes with the container.
	if err := unix.Mkdir(c.Net.Dir, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("mkdir %s: %w", c.Net.Dir, err)
	}
	if c.Net.Kind == container.NetBridge {
		if err := shareHosts(c, mates); err != nil {
			return err
		}
		delete(text, "hosts")
	}
	for _, f := range files() {
		path := c.Net.Dir + "/" + f.name
		if c.Net.Files != "" && f.name != "hostname" {
			path = c.Net.Files + "/" + f.name // the same network, the same names
			delete(text, f.name)
		}
		own, ours := text[f.name]
		if ours {
			if err := create(path, own); err != nil {
				return err
			}
		}
		// A mount of this one file, attached nowhere yet: the child takes it inside.
		fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
		if err != nil {
			return fmt.Errorf("open_tree %s: %w", path, err)
		}
		attr := unix.MountAttr{Propagation: unix.MS_PRIVATE}
		if !ours {
			attr.Attr_set = unix.MOUNT_ATTR_RDONLY
		}
		// What is mounted on it inside, nobody outside sees; to what is not the container's
		// alone it is not to write.
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
