package netns

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// Switches of a network namespace are files (Documentation/networking/ip-sysctl.rst).
const (
	forwarding   = "/proc/sys/net/ipv4/ip_forward"
	localRoute   = "/proc/sys/net/ipv4/conf/" + bridgeName + "/route_localnet"
	routerOffers = "/proc/sys/net/ipv6/conf/" + bridgeName + "/accept_ra"
	lowPort      = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
)

// forwardingClosed tells that the host did not pass on packets for others before
// the first container came.
func forwardingClosed(mates []*container.Container) (bool, error) {
	for _, m := range connected(mates) {
		return m.Net.Closed, nil // it has found out
	}
	text, err := read(forwarding)
	return len(text) > 0 && text[0] == '0', err
}

// openForwarding makes the host a router: it passes on packets that are not for
// itself, as those of a container to the rest of the world.
func openForwarding(c *container.Container) error {
	text, err := read(forwarding)
	if err != nil || len(text) > 0 && text[0] == '1' {
		return err
	}
	err = write(forwarding, "1")
	if locked(err) {
		c.Notes = append(c.Notes, "/proc/sys cannot be written to, and net.ipv4.ip_forward is 0: "+
			"containers reach each other and this host, but nobody else")
		return nil
	}
	return err
}

// closeForwarding leaves it as it was before the first container came.
func closeForwarding() error {
	err := write(forwarding, "0")
	if locked(err) {
		return nil // it was never opened
	}
	return err
}

// locked tells that a switch is there, and that we may not touch it: kit runs in a
// container itself.
func locked(err error) bool { return errors.Is(err, unix.EROFS) || errors.Is(err, unix.EACCES) }

// openPorts lets any user inside have the ports below 1024, as in docker: here
// they are nobody else's.
func openPorts() error {
	err := write(lowPort, "0")
	if locked(err) || errors.Is(err, unix.ENOENT) {
		return nil // root inside has CAP_NET_BIND_SERVICE all the same
	}
	return err
}

// write sets a switch, or the text of a file that is there.
func write(path, text string) error {
	// What was in it goes. Nobody who has it open may keep us waiting (F_SETLEASE).
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_TRUNC|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	// The kernel has acted, or refused, by then.
	defer unix.Close(fd)
	// The same file as before: who has it open, or mounted, sees the new text.
	if _, err := unix.Write(fd, []byte(text)); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// read returns the text of a file.
func read(path string) ([]byte, error) {
	// How does it stand?
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// All of it is read below.
	defer unix.Close(fd)
	var text []byte
	buf := make([]byte, 4096)
	for {
		// To the end.
		n, err := unix.Read(fd, buf)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		if n == 0 {
			return text, nil
		}
		text = append(text, buf[:n]...)
	}
}
