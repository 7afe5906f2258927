package netns

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// nets are private networks (RFC 1918) that few others use: the containers get
// the first that the host has no way to yet.
func nets() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.77.0.0/16"),
		netip.MustParsePrefix("172.29.0.0/16"),
		netip.MustParsePrefix("192.168.177.0/24"),
	}
}

// handOut gives the container an address. It is written down before the next kit
// may look, so none is given twice.
func handOut(c *container.Container) error {
	// One kit at a time chooses, and sees what the others have chosen.
	return c.Exclusive(func(others []*container.Container) error {
		others = mates(c, others)
		if err := checkPorts(c, others); err != nil {
			return err
		}
		closed, err := forwardingClosed(others)
		if err != nil {
			return err
		}
		network, err := findNet(others)
		if err != nil {
			return err
		}
		address, err := findAddress(network, c.Net.IP, others)
		if err != nil {
			return err
		}
		c.Net.Address, c.Net.Closed = netip.PrefixFrom(address, network.Bits()), closed
		return nil
	})
}

// mates are those of the containers that are on the same bridge.
func mates(c *container.Container, others []*container.Container) (mates []*container.Container) {
	for _, o := range others {
		if o.Net.Kind == container.NetBridge && o.Net.Outer == c.Net.Outer {
			mates = append(mates, o)
		}
	}
	return mates
}

// connected are those that have an address: not those that have left already, nor
// those that have just been written down, which will find out for themselves.
func connected(mates []*container.Container) (connected []*container.Container) {
	for _, m := range mates {
		if m.Net.Address.IsValid() {
			connected = append(connected, m)
		}
	}
	return connected
}

// findNet is the network of those that are there, or one that is free.
func findNet(mates []*container.Container) (netip.Prefix, error) {
	for _, m := range connected(mates) {
		return m.Net.Address.Masked(), nil
	}
	// Where can the host go already? There must be no doubt about an address.
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("routes: %w", err)
	}
	for _, network := range nets() {
		if !taken(network, routes) {
			return network, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("network %v: %w", nets(), unix.EADDRINUSE)
}

// taken tells that a route leads to a part of the network; a default route does
// not count, and neither does that of a bridge that a killed kit has left.
func taken(network netip.Prefix, routes []netlink.Route) bool {
	for _, r := range routes {
		if r.Dst == nil {
			continue
		}
		ip, ok := netip.AddrFromSlice(r.Dst.IP.To4())
		bits, _ := r.Dst.Mask.Size()
		if !ok || bits == 0 || !network.Overlaps(netip.PrefixFrom(ip, bits)) {
			continue
		}
		// Whose route is it?
		link, err := netlink.LinkByIndex(r.LinkIndex)
		if err != nil || link.Attrs().Name != bridgeName {
			return true
		}
	}
	return false
}

// findAddress is the one that is wanted, or the first that nobody has. The
// network's own address, the bridge's and the one for all are nobody's.
func findAddress(network netip.Prefix, wanted netip.Addr, mates []*container.Container) (
	netip.Addr, error,
) {
	used := map[netip.Addr]bool{firstOf(network): true}
	for _, m := range mates {
		used[m.Net.Address.Addr()] = true
	}
	if wanted.IsValid() {
		switch {
		case !network.Contains(wanted) || wanted == network.Addr() || !network.Contains(wanted.Next()):
			return wanted, fmt.Errorf("address %s in %s: %w", wanted, network, unix.EADDRNOTAVAIL)
		case used[wanted]:
			return wanted, fmt.Errorf("address %s: %w", wanted, unix.EADDRINUSE)
		}
		return wanted, nil
	}
	for a := firstOf(network); network.Contains(a.Next()); a = a.Next() {
		if !used[a] {
			return a, nil
		}
	}
	return wanted, fmt.Errorf("address in %s: %w", network, unix.EADDRNOTAVAIL)
}

// firstOf is the first address of a network, which the bridge has.
func firstOf(network netip.Prefix) netip.Addr { return network.Addr().Next() }

func gateway(c *container.Container) netip.Addr { return firstOf(c.Net.Address.Masked()) }

func bridgeAddress(c *container.Container) netip.Prefix {
	return netip.PrefixFrom(gateway(c), c.Net.Address.Bits())
}

// ipNet is an address with its network as package net has it.
func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{
		IP:   net.IP(p.Addr().AsSlice()),
		Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
	}
}
