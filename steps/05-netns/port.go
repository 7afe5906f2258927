package netns

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// checkPorts refuses a port of the host that somebody has already: another
// container, or a server on the host.
func checkPorts(c *container.Container, mates []*container.Container) error {
	for i, p := range c.Net.Publish {
		for _, o := range c.Net.Publish[:i] {
			if clash(p, o) {
				return fmt.Errorf("publish %s twice: %w", onHost(p), unix.EADDRINUSE)
			}
		}
		for _, m := range mates {
			for _, o := range m.Net.Publish {
				if clash(p, o) {
					return fmt.Errorf("publish %s, which is %s's: %w", onHost(p), m.Name, unix.EADDRINUSE)
				}
			}
		}
		if _, open := c.File(fmt.Sprintf("publish %s %d/%s", p.HostIP, p.HostPort, p.Protocol)); open {
			continue
		}
		if err := tryPort(p); err != nil {
			return err
		}
	}
	return nil
}

// onHost is where a port is to be found: 8080/tcp, or 127.0.0.1:8080/tcp.
func onHost(p container.Port) string {
	where := fmt.Sprintf("%d/%s", p.HostPort, p.Protocol)
	if every(p.HostIP) {
		return where
	}
	return p.HostIP.String() + ":" + where
}

// clash tells that a packet could be meant for both.
func clash(a, b container.Port) bool {
	return a.HostPort == b.HostPort && a.Protocol == b.Protocol &&
		(every(a.HostIP) || every(b.HostIP) || a.HostIP == b.HostIP)
}

// every tells an address that stands for all.
func every(a netip.Addr) bool { return !a.IsValid() || a.IsUnspecified() }

// tryPort binds the port, as a server does, and lets go of it again.
func tryPort(p container.Port) error {
	kind := unix.SOCK_STREAM
	if p.Protocol == "udp" {
		kind = unix.SOCK_DGRAM
	}
	// A rule would take the port from a server of the host's without a word. Is
	// there one?
	fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	// It was only to find out.
	defer unix.Close(fd)
	address := &unix.SockaddrInet4{Port: int(p.HostPort)}
	if !every(p.HostIP) {
		address.Addr = p.HostIP.As4()
	}
	// A connection that has just been closed does not count.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return fmt.Errorf("setsockopt SO_REUSEADDR: %w", err)
	}
	// This fails where somebody has it.
	if err := unix.Bind(fd, address); err != nil {
		return fmt.Errorf("publish %s: bind: %w", onHost(p), err)
	}
	return nil
}
