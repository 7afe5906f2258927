package netns

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

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
