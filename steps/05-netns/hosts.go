package netns

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// The containers on a bridge share one hosts file, which is written once when one comes
// or goes, however many there are. Each has a name for it on the host, in a directory of
// its own; with the last name goes the file. Inside it is mounted read-only, which only
// CAP_SYS_ADMIN could change: step 6 takes that away.

// hostsOf is another container's name for the hosts file: the directories lie side by side.
func hostsOf(c, other *container.Container) string {
	return path.Dir(c.Net.Dir) + "/" + other.Name + ".net/hosts"
}

// shareHosts gives the container the hosts file that its mates have, or makes it, and
// writes down who is there.
func shareHosts(c *container.Container, mates []*container.Container) error {
	own := c.Net.Dir + "/hosts"
	// One that a killed kit has left is not that of the others any more.
	if err := unix.Unlink(own); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unlink %s: %w", own, err)
	}
	for _, m := range mates {
		// One more name for the same file.
		err := unix.Link(hostsOf(c, m), own)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.ENOENT) { // who is just coming has none yet
			return fmt.Errorf("link %s: %w", own, err)
		}
	}
	// Open for writing as long as we live: so nobody inside gets a lease on it, for
	// which other kits would have to wait (F_SETLEASE, fcntl(2)).
	fd, err := unix.Open(own, unix.O_WRONLY|unix.O_CREAT|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("open %s: %w", own, err)
	}
	c.Keep(own, fd)
	// Readable for all, whatever kit's umask is.
	if err := unix.Fchmod(fd, 0o644); err != nil {
		return fmt.Errorf("fchmod %s: %w", own, err)
	}
	return tell(fd, append(mates, c))
}

// tellOthers takes the container's name out of the hosts file of those that stay.
func tellOthers(c *container.Container, left []*container.Container) {
	for _, o := range left {
		// The first of them that has it has that of all.
		fd, err := unix.Open(hostsOf(c, o), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		_ = tell(fd, left) // an old name is no reason to fail
		// All is said.
		unix.Close(fd)
		return
	}
}

// tell writes the hosts file anew. Who reads it meanwhile never finds it empty.
func tell(fd int, containers []*container.Container) error {
	text := []byte(localHosts + entries(containers))
	// In its place: whoever has the file mounted sees it.
	if _, err := unix.Pwrite(fd, text, 0); err != nil {
		return fmt.Errorf("write hosts: %w", err)
	}
	// What was longer before ends here.
	if err := unix.Ftruncate(fd, int64(len(text))); err != nil {
		return fmt.Errorf("ftruncate hosts: %w", err)
	}
	return nil
}

// entries are the lines of all those that have an address.
func entries(containers []*container.Container) string {
	var lines strings.Builder // a string would be copied for each
	for _, c := range containers {
		if !c.Net.Address.IsValid() {
			continue
		}
		names := c.Name
		if c.Hostname != c.Name {
			names += " " + c.Hostname
		}
		lines.WriteString(c.Net.Address.Addr().String() + "\t" + names + "\n")
	}
	return lines.String()
}

const localHosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"

// hostsText is the hosts file of a container that has no mates.
func hostsText(c *container.Container) string {
	if c.Net.Kind == container.NetHost {
		if text, err := read("/etc/hosts"); err == nil {
			return string(text)
		}
	}
	return localHosts
}
