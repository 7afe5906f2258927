package netlink

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// text writes a value that is compared with what the operand names.
func (o operand) text(data []byte) string {
	switch {
	case strings.HasPrefix(o.kind, "/"):
		return ip(data) + o.kind
	case o.kind == "address":
		return ip(data)
	case o.kind == "interface":
		name, _, whole := strings.Cut(string(data), "\x00")
		if !whole {
			name += "*"
		}
		return strconv.Quote(name)
	case o.kind == "port" && len(data) == 2:
		return strconv.Itoa(int(binary.BigEndian.Uint16(data)))
	case o.kind == "protocol" && len(data) == 1:
		return protocol(data[0])
	case o.kind == "family" && len(data) == 1:
		return map[byte]string{unix.NFPROTO_IPV4: "ipv4", unix.NFPROTO_IPV6: "ipv6"}[data[0]]
	case o.kind == "addrtype" && len(data) == 4 && binary.NativeEndian.Uint32(data) == unix.RTN_LOCAL:
		return "local"
	case o.kind == "number" && len(data) == 4:
		return strconv.Itoa(int(binary.NativeEndian.Uint32(data)))
	}
	return plain(data)
}

// plain writes a value whose meaning is not known: as an address or a port where it
// has their length.
func plain(data []byte) string {
	switch len(data) {
	case 2:
		return strconv.Itoa(int(binary.BigEndian.Uint16(data)))
	case 4, 16:
		return ip(data)
	}
	return fmt.Sprintf("0x%x", data)
}

// protocol is an IP protocol's name (protocols(5)).
func protocol(number byte) string {
	switch number {
	case unix.IPPROTO_TCP:
		return "tcp"
	case unix.IPPROTO_UDP:
		return "udp"
	case unix.IPPROTO_ICMP:
		return "icmp"
	case unix.IPPROTO_ICMPV6:
		return "icmpv6"
	}
	return strconv.Itoa(int(number))
}

// stateBits are the states or the statuses of a connection that a mask lets through
// (linux/netfilter/nf_conntrack_common.h).
func stateBits(o operand) string {
	names := map[uint32]string{1: "invalid", 2: "established", 4: "related", 8: "new", 64: "untracked"}
	if o.name == "ct status" {
		names = map[uint32]string{
			1: "expected", 2: "seen-reply", 4: "assured", 8: "confirmed", 16: "snat", 32: "dnat",
		}
	}
	var list []string
	mask := host(o.value)
	for bit := uint32(1); bit != 0; bit <<= 1 {
		if mask&bit != 0 && names[bit] != "" {
			list = append(list, names[bit])
		}
	}
	return strings.Join(list, ",")
}
