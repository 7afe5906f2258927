package netns

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// openBridge returns the bridge, and makes it where this is the first container.
func openBridge(c *container.Container) (netlink.Link, error) {
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{
		Name: bridgeName, HardwareAddr: hardware(gateway(c)),
	}}
	// A switch without a cable yet; it is there already, if others are. Without an
	// address of its own it would take that of a cable, and change it when that goes.
	err := netlink.LinkAdd(bridge)
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("link %s: %w", bridgeName, err)
	}
	// The kernel has given it a number.
	link, err := netlink.LinkByName(bridgeName)
	if err != nil {
		return nil, fmt.Errorf("link %s: %w", bridgeName, err)
	}
	if !ours(link) {
		return nil, fmt.Errorf("link %s is another %s: %w", bridgeName, link.Type(), unix.EEXIST)
	}
	address := &netlink.Addr{IPNet: ipNet(bridgeAddress(c))}
	// The host is on the bridge, too: this is its address there, and the containers'
	// way to everywhere else.
	err = netlink.AddrAdd(link, address)
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("address %s: %w", bridgeAddress(c), err)
	}
	// A container could call itself the host's way out for IPv6 (CVE-2020-13401).
	if err := write(routerOffers, "0"); err != nil && !locked(err) && !errors.Is(err, unix.ENOENT) {
		return nil, err
	}
	// Switch it on.
	if err := netlink.LinkSetUp(link); err != nil {
		return nil, fmt.Errorf("link %s up: %w", bridgeName, err)
	}
	return link, nil
}

// removeLink removes an interface of the host's, if it is there. A cable mostly has
// gone with the other end, or is about to: the kernel removes a network namespace a
// little after its last process.
func removeLink(name string) error {
	// Is it there?
	link, err := netlink.LinkByName(name)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("link %s: %w", name, err)
	}
	if !ours(link) {
		return nil // the name is that of something else, for which we could not make ours
	}
	// Of a cable the other end goes, too; of a bridge nothing but the bridge.
	err = netlink.LinkDel(link)
	if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EINVAL) && name != bridgeName {
		return nil // its other end has just gone
	}
	if err != nil {
		return fmt.Errorf("link %s: %w", name, err)
	}
	return nil
}

// replace makes a cable in the place of one that is about to go.
func replace(cable *netlink.Veth) error {
	if err := removeLink(cable.Name); err != nil {
		return err
	}
	// The name is free now, unless the interface was not of kit's making.
	return netlink.LinkAdd(cable)
}

// cableName is the host's end of the cable: interface names have 15 letters at
// most, so that a longer name of a container becomes a number.
func cableName(c *container.Container) string {
	name := "kit-" + c.Name
	if len(name) < unix.IFNAMSIZ {
		return name
	}
	hash := fnv.New32a()
	hash.Write([]byte(c.Name))
	return fmt.Sprintf("kit-%08x", hash.Sum32())
}

// ours tells that kit has made an interface of the host's, whose name may be that of
// anything: a bridge with an address of kit's, or a cable that is plugged in.
func ours(link netlink.Link) bool {
	if link.Attrs().Name == bridgeName {
		return bytes.HasPrefix(link.Attrs().HardwareAddr, maker())
	}
	return link.Type() == "veth" && link.Attrs().MasterIndex != 0
}

// maker is how kit's hardware addresses begin. 02: of no maker.
func maker() []byte { return []byte{0x02, 0x6b} }

// hardware is the Ethernet address that belongs to an IP address here: who
// remembers the one remembers the right other, even of an earlier container.
func hardware(address netip.Addr) net.HardwareAddr {
	ip := address.As4()
	return append(maker(), ip[:]...)
}
