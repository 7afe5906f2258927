//go:build linux

package netns

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

func at(address string) *container.Container {
	return &container.Container{Net: container.Net{
		Kind: container.NetBridge, Address: netip.MustParsePrefix(address),
	}}
}

// TestTinyNetwork has eight addresses: one of the network, one of the bridge, one for
// all, and so five for containers, of which none is handed out twice.
func TestTinyNetwork(t *testing.T) {
	network := netip.MustParsePrefix("192.0.2.8/29")
	var others []*container.Container
	for i := range 5 {
		a, err := findAddress(network, netip.Addr{}, others)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("192.0.2.%d", 10+i), a.String())
		others = append(others, at(a.String()+"/29"))
	}
	_, err := findAddress(network, netip.Addr{}, others)
	require.ErrorIs(t, err, unix.EADDRNOTAVAIL)
	require.EqualError(t, err, "address in 192.0.2.8/29: cannot assign requested address")
	// The one that becomes free is the next.
	a, err := findAddress(network, netip.Addr{}, append(others[:2:2], others[3:]...))
	require.NoError(t, err)
	require.Equal(t, "192.0.2.12", a.String())
}

func TestWantedAddress(t *testing.T) {
	network := netip.MustParsePrefix("192.0.2.8/29")
	others := []*container.Container{at("192.0.2.10/29"), {}}
	for address, want := range map[string]error{
		"192.0.2.7":    unix.EADDRNOTAVAIL, // of another network
		"192.0.2.8":    unix.EADDRNOTAVAIL, // the network's
		"192.0.2.9":    unix.EADDRINUSE,    // the bridge's
		"192.0.2.10":   unix.EADDRINUSE,    // another's
		"192.0.2.14":   nil,
		"192.0.2.15":   unix.EADDRNOTAVAIL, // for all
		"192.0.2.16":   unix.EADDRNOTAVAIL,
		"203.0.113.10": unix.EADDRNOTAVAIL,
	} {
		_, err := findAddress(network, netip.MustParseAddr(address), others)
		require.ErrorIs(t, err, want, address)
	}
}

// TestTakenNetworks are those that a route leads to, or to a part of, or past.
func TestTakenNetworks(t *testing.T) {
	network := netip.MustParsePrefix("10.77.0.0/16")
	for route, want := range map[string]bool{
		"0.0.0.0/0":     false, // the way to everywhere
		"10.76.0.0/16":  false,
		"10.0.0.0/8":    true,
		"10.77.3.0/24":  true,
		"10.77.0.1/32":  true,
		"172.16.0.0/12": false,
	} {
		_, dst, err := net.ParseCIDR(route)
		require.NoError(t, err)
		routes := []netlink.Route{{}, {Dst: dst, LinkIndex: 1}}
		require.Equal(t, want, taken(network, routes), route)
	}
}

func TestMates(t *testing.T) {
	same, other, none := at("10.77.0.2/16"), at("10.77.0.2/16"), &container.Container{}
	other.Net.Outer = 4711
	fresh := &container.Container{Net: container.Net{Kind: container.NetBridge}}
	found := mates(at("10.77.0.3/16"), []*container.Container{same, other, none, fresh})
	require.Equal(t, []*container.Container{same, fresh}, found)
	require.Equal(t, []*container.Container{same}, connected(found))
}

func TestClash(t *testing.T) {
	all, one, two := netip.Addr{}, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	port := func(ip netip.Addr, number uint16, protocol string) container.Port {
		return container.Port{HostIP: ip, HostPort: number, Port: 80, Protocol: protocol}
	}
	require.True(t, clash(port(all, 80, "tcp"), port(all, 80, "tcp")))
	require.True(t, clash(port(all, 80, "tcp"), port(one, 80, "tcp")))
	require.True(t, clash(port(one, 80, "tcp"), port(netip.IPv4Unspecified(), 80, "tcp")))
	require.True(t, clash(port(one, 80, "tcp"), port(one, 80, "tcp")))
	require.False(t, clash(port(one, 80, "tcp"), port(two, 80, "tcp")))
	require.False(t, clash(port(all, 80, "tcp"), port(all, 80, "udp")))
	require.False(t, clash(port(all, 80, "tcp"), port(all, 81, "tcp")))
}

// TestCableNames fit into an interface's name, and are different ones.
func TestCableNames(t *testing.T) {
	seen := map[string]bool{bridgeName: true}
	for _, name := range []string{
		"0", "a", "eleven-long", "twelve--long", "twelve--lonG", "a-name-that-is-much-too-long",
		"a-name-that-is-much-too-lonG",
	} {
		cable := cableName(&container.Container{Name: name})
		require.Less(t, len(cable), unix.IFNAMSIZ)
		require.False(t, seen[cable], cable)
		seen[cable] = true
	}
}

func TestHosts(t *testing.T) {
	one, two, left := at("10.77.0.2/16"), at("10.77.0.3/16"), &container.Container{Name: "left"}
	one.Name, one.Hostname, two.Name, two.Hostname = "one", "one", "two", "deux"
	require.Equal(t, "10.77.0.2\tone\n10.77.0.3\ttwo deux\n",
		entries([]*container.Container{one, left, two}))
}

func TestNameServerLines(t *testing.T) {
	for line, want := range map[string]string{
		"nameserver 192.0.2.53":        "192.0.2.53",
		"nameserver\t2001:db8::53 # x": "2001:db8::53",
		"nameserver fe80::1%eth0":      "fe80::1%eth0",
		"nameserver":                   "",
		"nameserver x":                 "",
		"# nameserver 192.0.2.53":      "",
		"search example.org":           "",
	} {
		server, ok := nameServer(line)
		require.Equal(t, want != "", ok, line)
		if ok {
			require.Equal(t, want, server.String())
		}
	}
	require.False(t, reachable("nameserver 127.0.0.53\nnameserver ::1\noptions edns0\n"))
	require.True(t, reachable("nameserver 127.0.0.53\nnameserver 192.0.2.53\n"))
}

func TestFirewallChains(t *testing.T) {
	no, yes := nftables.ChainPolicyDrop, nftables.ChainPolicyAccept
	chain := func(f nftables.TableFamily, h *nftables.ChainHook, p *nftables.ChainPolicy) bool {
		return dropsForwarded(&nftables.Chain{
			Table: &nftables.Table{Family: f}, Hooknum: h, Policy: p,
		})
	}
	forward, input := nftables.ChainHookForward, nftables.ChainHookInput
	require.True(t, chain(nftables.TableFamilyIPv4, forward, &no))
	require.True(t, chain(nftables.TableFamilyINet, forward, &no))
	require.False(t, chain(nftables.TableFamilyIPv6, forward, &no))
	require.False(t, chain(nftables.TableFamilyIPv4, forward, &yes))
	require.False(t, chain(nftables.TableFamilyIPv4, input, &no))
	require.False(t, chain(nftables.TableFamilyIPv4, nil, nil))

	named := []*nftables.Rule{{Exprs: []expr.Any{&expr.Cmp{Data: interfaceName(bridgeName)}}}}
	require.True(t, mentions(named, bridgeName))
	require.False(t, mentions(named, "kit1"))
}
