package script

import (
	"fmt"
	"net/netip"

	"github.com/containerkit/kit/internal/container"
)

// net is whose network the container has.
func (s *script) net() container.NetKind {
	switch {
	case s.c.Steps < 5:
		return container.NetHost
	case s.c.Net.Kind == "":
		return container.NetBridge
	}
	return s.c.Net.Kind
}

// network is the Before moment of step 5: a network namespace with a name, which can be
// set up before anybody is in it.
func (s *script) network() {
	switch s.net() {
	case container.NetBridge:
		s.bridge()
	case container.NetNone:
		s.section("Step 5, netns: a network of its own, with nothing but lo")
		s.do("The child makes it.")
	}
}

// addresses gives the container's address and the bridge's, of the net that the
// container's is in. The bridge is the script's own, so that kit's is left alone.
func (s *script) addresses() (bridge, own netip.Prefix) {
	address := netip.MustParseAddr("10.78.0.2")
	if s.c.Net.IP.IsValid() {
		address = s.c.Net.IP
	}
	net := netip.PrefixFrom(address, 24)
	first := net.Masked().Addr().Next()
	if first == address {
		first = first.Next()
	}
	return netip.PrefixFrom(first, 24), net
}

func (s *script) bridge() {
	bridge, own := s.addresses()
	s.section("Step 5, netns: a network of its own")
	s.do("Interface names have 15 letters at most.",
		`BRIDGE=$(printf 'br%.13s' "$NAME")`, `CABLE=$(printf 'c-%.13s' "$NAME")`)
	s.do("A network namespace of its own, held by a mount on a file: it begins with nothing but lo, "+
		"and that down.", `NETNS=$(mktemp "/run/$NAME.XXXXXX")`)
	s.later(`rm "$NETNS"`)
	s.do("", `unshare --net="$NETNS" true`)
	s.later(`umount "$NETNS"`)
	s.do("", `nsenter --net="$NETNS" ip link set lo up`)
	s.do("A bridge is a switch that the kernel plays. Its address is the containers' way out.",
		`ip link add "$BRIDGE" type bridge`)
	s.later(`ip link del "$BRIDGE"`)
	s.do("", `ip addr add `+bridge.String()+` dev "$BRIDGE"`, `ip link set "$BRIDGE" up`)
	s.do("A cable with two ends: one is plugged into the bridge, the other is eth0 inside.",
		`ip link add "$CABLE" type veth peer name eth0 netns "$NETNS"`,
		`ip link set "$CABLE" master "$BRIDGE" up`)
	s.do("The container's address, and the bridge as its way to everywhere else.",
		`nsenter --net="$NETNS" ip addr add `+own.String()+` dev eth0`,
		`nsenter --net="$NETNS" ip link set eth0 up`,
		`nsenter --net="$NETNS" ip route add default via `+bridge.Addr().String())
	s.do("The host passes on packets that are not for itself.",
		`FORWARD=$(cat /proc/sys/net/ipv4/ip_forward)`)
	s.later(`echo "$FORWARD" >/proc/sys/net/ipv4/ip_forward`)
	s.do("", "echo 1 >/proc/sys/net/ipv4/ip_forward")
	s.firewall(own)
}

// firewall is the table of nftables: the way out, and the published ports.
func (s *script) firewall(own netip.Prefix) {
	add := func(format string, args ...any) string {
		return "nft add " + fmt.Sprintf(format, args...)
	}
	s.do("Who answers could not reach the container's address: to the outside, it gets the host's.",
		add(`table ip "$NAME"`))
	s.later(`nft delete table ip "$NAME"`)
	s.do("",
		add(`chain ip "$NAME" out '{ type nat hook postrouting priority srcnat; }'`),
		add(`rule ip "$NAME" out ip saddr %s oifname != "\"$BRIDGE\"" masquerade`, own.Masked()))
	if len(s.c.Net.Publish) == 0 {
		return
	}
	s.do("What comes to a published port of the host is sent on to the container: from outside, and "+
		"from the host itself.",
		add(`chain ip "$NAME" in '{ type nat hook prerouting priority dstnat; }'`),
		add(`chain ip "$NAME" self '{ type nat hook output priority -100; }'`))
	for _, p := range s.c.Net.Publish {
		match := "fib daddr type local"
		if p.HostIP.IsValid() && !p.HostIP.IsUnspecified() {
			match = "ip daddr " + p.HostIP.String()
		}
		for _, chain := range []string{"in", "self"} {
			s.do("", add(`rule ip "$NAME" %s %s %s dport %d dnat to %s:%d`, chain, match, p.Protocol,
				p.HostPort, own.Addr(), p.Port))
		}
	}
	s.do("Connections of the host's to 127.0.0.1 leave through the bridge, too.",
		`echo 1 >"/proc/sys/net/ipv4/conf/$BRIDGE/route_localnet"`,
		add(`rule ip "$NAME" out ip saddr 127.0.0.0/8 oifname "\"$BRIDGE\"" masquerade`))
}

// nameServers is the Inside moment of step 5.
func (s *script) nameServers() {
	if s.net() == container.NetNone {
		s.section("Step 5: nothing but lo")
		s.do("lo is there, but down.", "ip link set lo up")
	}
	if len(s.c.Net.DNS) == 0 {
		return
	}
	s.section("Step 5: whom to ask for addresses")
	lines := []string{": >/etc/resolv.conf"}
	for _, a := range s.c.Net.DNS {
		lines = append(lines, "echo nameserver "+a.String()+" >>/etc/resolv.conf")
	}
	s.do("The overlay takes the change.", lines...)
}
