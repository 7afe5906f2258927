package container

import "net/netip"

// NetKind tells which network namespace the container uses.
type NetKind string

// The network namespaces to choose from, as --net names them. Below step 5 the
// kind is "", which is the host's.
const (
	NetBridge    NetKind = "bridge"    // its own, with a cable to kit's bridge
	NetNone      NetKind = "none"      // its own, with nothing but lo
	NetHost      NetKind = "host"      // the host's
	NetContainer NetKind = "container" // that of another container
)

// Net is the container's network (step 5).
type Net struct {
	Kind    NetKind
	Pid     int          // of the container whose namespace is shared
	Files   string       // of that container: the directory of its files about the network
	IP      netip.Addr   // asked for by the user, else the next free one
	DNS     []netip.Addr // name servers asked for by the user
	Publish []Port

	// Outer is the inode of the network namespace that plays the host, which step 0
	// gives without root; 0 is the host's own.
	Outer uint64

	Dir     string       // of the files about the network that the container sees as its own
	Address netip.Prefix // given by step 5: the container's address and the bridge's net
	Closed  bool         // ip_forward was off before the first container came
}

// Own tells that the container gets a network namespace of its own.
func (n Net) Own() bool { return n.Kind == NetBridge || n.Kind == NetNone }

// A Port of the host leads to a port of the container (--publish).
type Port struct {
	HostIP         netip.Addr // invalid: all addresses of the host
	HostPort, Port uint16
	Protocol       string // tcp or udp
}
