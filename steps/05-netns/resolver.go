package netns

import (
	"errors"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// resolverText is the host's resolv.conf without servers that cannot be reached
// from inside, or with those that the user wants.
func resolverText(c *container.Container) (string, error) {
	text, err := read("/etc/resolv.conf")
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return "", err
	}
	if c.Net.Kind == container.NetBridge && len(c.Net.DNS) == 0 && !reachable(string(text)) {
		// 127.0.0.53 is systemd-resolved, which keeps a list of those that it asks itself.
		if asked, err := read("/run/systemd/resolve/resolv.conf"); err == nil {
			text = asked
		}
	}
	var out strings.Builder
	for _, server := range c.Net.DNS {
		out.WriteString("nameserver " + server.String() + "\n")
	}
	for line := range strings.Lines(string(text)) {
		server, isServer := nameServer(line)
		lost := len(c.Net.DNS) > 0 || c.Net.Kind == container.NetBridge && server.IsLoopback()
		if !isServer || !lost {
			out.WriteString(strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	return out.String(), nil
}

// reachable tells that a resolv.conf names a server that is not on lo.
func reachable(text string) bool {
	for line := range strings.Lines(text) {
		if server, ok := nameServer(line); ok && !server.IsLoopback() {
			return true
		}
	}
	return false
}

// nameServer reads a line of resolv.conf.
func nameServer(line string) (server netip.Addr, ok bool) {
	f := strings.Fields(line)
	if len(f) < 2 || f[0] != "nameserver" {
		return server, false
	}
	server, err := netip.ParseAddr(f[1])
	return server, err == nil
}
