package netns

import (
	"net"
	"net/netip"
	"slices"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// A rule of nftables is a small program over registers: load a part of the
// packet, compare it, and go on with the next expression only if it is the same.

const register = 1

// publish is: what comes to the port of the host goes to the container's.
func publish(p container.Port, to netip.Addr) []expr.Any {
	address := toHost()
	if p.HostIP.IsValid() && !p.HostIP.IsUnspecified() {
		address = toAddress(p.HostIP)
	}
	protocol := byte(unix.IPPROTO_TCP)
	if p.Protocol == "udp" {
		protocol = unix.IPPROTO_UDP
	}
	return rule([][]expr.Any{
		address,
		{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: register}, equal([]byte{protocol})},
		{transport(2), equal(binaryutil.BigEndian.PutUint16(p.HostPort))}, // the port it goes to
		{
			&expr.Immediate{Register: 1, Data: to.AsSlice()},
			&expr.Immediate{Register: 2, Data: binaryutil.BigEndian.PutUint16(p.Port)},
			&expr.NAT{
				Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2,
			},
		},
	})
}

// toHost is: an address of this host's.
func toHost() []expr.Any {
	return []expr.Any{
		&expr.Fib{Register: register, FlagDADDR: true, ResultADDRTYPE: true},
		equal(binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL)),
	}
}

// toAddress is: to this address.
func toAddress(a netip.Addr) []expr.Any { return to(netip.PrefixFrom(a, 32)) }

// source and to are: from, and to, an address of the network. They lie at bytes 12
// and 16 of the IPv4 header.
func source(p netip.Prefix) []expr.Any { return inNet(12, p) }
func to(p netip.Prefix) []expr.Any     { return inNet(16, p) }

func inNet(offset uint32, p netip.Prefix) []expr.Any {
	return []expr.Any{
		&expr.Payload{
			DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4,
		},
		&expr.Bitwise{
			SourceRegister: register, DestRegister: register, Len: 4,
			Mask: net.CIDRMask(p.Bits(), 32), Xor: make([]byte, 4),
		},
		equal(p.Masked().Addr().AsSlice()),
	}
}

// from is: it came in by the interface, or, with same == false, by another.
func from(name string, same bool) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: register}, compare(same, interfaceName(name)),
	}
}

// leavingBy is: it leaves by the interface, or, with same == false, by another.
func leavingBy(name string, same bool) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: register}, compare(same, interfaceName(name)),
	}
}

func drop() []expr.Any { return []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}} }

// dstNAT is the bit of conntrack's status that tells that a rule has changed where
// a connection goes (IPS_DST_NAT).
const dstNAT = 1 << 5

// redirected and direct are: a rule has changed where it goes, and none has.
func redirected() []expr.Any { return connection(expr.CtKeySTATUS, dstNAT, true) }
func direct() []expr.Any     { return connection(expr.CtKeySTATUS, dstNAT, false) }

// unasked is: it neither belongs to a connection that is known nor to do with one.
func unasked() []expr.Any {
	return connection(expr.CtKeySTATE, expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED, false)
}

// connection is: conntrack has one of the bits, or, with some == false, none.
func connection(key expr.CtKey, bits uint32, some bool) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: key, Register: register},
		&expr.Bitwise{
			SourceRegister: register, DestRegister: register, Len: 4,
			Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: make([]byte, 4),
		},
		compare(!some, make([]byte, 4)),
	}
}

// transport loads two bytes of the TCP or UDP header.
func transport(offset uint32) expr.Any {
	return &expr.Payload{
		DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 2,
	}
}

func equal(data []byte) expr.Any { return compare(true, data) }

func compare(same bool, data []byte) expr.Any {
	op := expr.CmpOpEq
	if !same {
		op = expr.CmpOpNeq
	}
	return &expr.Cmp{Op: op, Register: register, Data: data}
}

// interfaceName is a name as the kernel compares it: 16 bytes.
func interfaceName(name string) []byte {
	return slices.Concat([]byte(name), make([]byte, unix.IFNAMSIZ-len(name)))
}

// rule strings the parts of a rule together.
func rule(parts [][]expr.Any) []expr.Any { return slices.Concat(parts...) }
