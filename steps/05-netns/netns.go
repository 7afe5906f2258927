// Package netns is step 5: a network of the container's own.
//
// A network namespace has its own interfaces, addresses, routes, ports and
// firewall. A new one has nothing but lo, and that switched off: it is an island.
// A veth pair is a cable with an interface at each end. One end is born inside, the
// other is plugged into a bridge, a switch that the kernel plays on the host.
//
// Since ports belong to the namespace, each container has its own port 80. The
// kernel is asked by messages on a socket (rtnetlink(7)), as ip(8) does it.
package netns

import (
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// Step gives the child a network namespace, and a cable to the others.
var Step = container.Step{
	Name:   "netns",
	Adds:   "its own network: an address, a cable to a bridge, published ports",
	Before: choose,
	Parent: connect,
	Child:  configure,
	Inside: showFiles,
	After:  disconnect,
}

const (
	bridgeName = "kit0"
	inside     = "eth0" // the end of the cable that the container sees
)

// choose decides on the network namespace, and on an address that nobody has.
func choose(c *container.Container) error {
	if c.Net.Kind == container.NetContainer {
		return join(c)
	}
	if c.Net.Own() {
		c.Attr.Cloneflags |= unix.CLONE_NEWNET // its own interfaces, routes, ports
	}
	if c.Net.Kind == container.NetBridge {
		return handOut(c)
	}
	return nil
}

// connect lays the cable from the bridge to the child.
func connect(c *container.Container) error {
	if c.Net.Kind != container.NetBridge {
		return makeFiles(c, nil)
	}
	// Bridge, rules and names are everybody's: one kit at a time.
	return c.Exclusive(func(others []*container.Container) error {
		if err := lay(c); err != nil {
			return err
		}
		return makeFiles(c, mates(c, others))
	})
}

func lay(c *container.Container) error {
	bridge, err := openBridge(c)
	if err != nil {
		return err
	}
	cable := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: cableName(c), MasterIndex: bridge.Attrs().Index},
		PeerName:  inside, PeerNamespace: netlink.NsPid(c.Pid),
		PeerHardwareAddr: hardware(c.Net.Address.Addr()),
	}
	// A cable: one end here, plugged into the bridge, the other inside. When the
	// namespace goes, that end goes, and this one with it.
	err = netlink.LinkAdd(cable)
	if errors.Is(err, unix.EEXIST) {
		err = replace(cable) // that of a container of this name, which has just ended
	}
	if err != nil {
		return fmt.Errorf("link %s: %w", cable.Name, err)
	}
	// An answer may have to leave where the question came in: a container that asks
	// for a port that it has published itself.
	if err := netlink.LinkSetHairpin(cable, true); err != nil {
		return fmt.Errorf("link %s hairpin: %w", cable.Name, err)
	}
	// Switch it on. The other end is the container's business.
	if err := netlink.LinkSetUp(cable); err != nil {
		return fmt.Errorf("link %s up: %w", cable.Name, err)
	}
	if err := openForwarding(c); err != nil {
		return err
	}
	return translate(c)
}

// configure does inside what a network manager does on a computer.
func configure(c *container.Container) error {
	if !c.Net.Own() {
		return nil
	}
	// The one interface that every network namespace is born with.
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("link lo: %w", err)
	}
	// 127.0.0.1: the interface is there, but off.
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("link lo up: %w", err)
	}
	if c.Net.Kind != container.NetBridge {
		return nil
	}
	// Our end of the cable.
	eth0, err := netlink.LinkByName(inside)
	if err != nil {
		return fmt.Errorf("link %s: %w", inside, err)
	}
	address := &netlink.Addr{IPNet: ipNet(c.Net.Address)}
	// The address; with it comes the route to all that are on the same bridge.
	if err := netlink.AddrAdd(eth0, address); err != nil {
		return fmt.Errorf("address %s: %w", c.Net.Address, err)
	}
	// Switch it on.
	if err := netlink.LinkSetUp(eth0); err != nil {
		return fmt.Errorf("link %s up: %w", inside, err)
	}
	route := &netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: net.IP(gateway(c).AsSlice())}
	// Everything else goes to the bridge, whose address is the host's.
	if err := netlink.RouteAdd(route); err != nil {
		return fmt.Errorf("route default via %s: %w", gateway(c), err)
	}
	return openPorts()
}

// disconnect takes back what the kernel does not. The last to leave takes the bridge along.
func disconnect(c *container.Container) (err error) {
	if c.Net.Kind == container.NetBridge && c.Net.Address.IsValid() {
		err = unplug(c)
		// Of two that leave at the same time, the second is the last one.
		err = errors.Join(err, c.Exclusive(func(others []*container.Container) error {
			return leave(c, others)
		}))
	}
	return errors.Join(err, removeFiles(c))
}
