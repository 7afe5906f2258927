package netlink

import (
	"encoding/binary"
	"testing"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

var route = &Reader{Protocol: unix.NETLINK_ROUTE, Link: func(index int) string {
	return map[int]string{4: "kit0"}[index]
}}

// moveLink is a request that names a link, sends it elsewhere and switches it on.
func moveLink() []byte {
	r := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
	info := nl.NewIfInfomsg(unix.AF_UNSPEC)
	info.Flags, info.Change = unix.IFF_UP, unix.IFF_UP
	r.AddData(info)
	r.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated("eth0")))
	r.AddData(nl.NewRtAttr(unix.IFLA_ADDRESS, []byte{2, 0, 0, 0, 0, 1}))
	r.AddData(nl.NewRtAttr(unix.IFLA_MTU, nl.Uint32Attr(1500)))
	r.AddData(nl.NewRtAttr(unix.IFLA_MASTER, nl.Uint32Attr(4)))
	r.AddData(nl.NewRtAttr(unix.IFLA_NET_NS_FD, nl.Uint32Attr(7)))
	return r.Serialize()
}

func TestLink(t *testing.T) {
	m := route.Read(moveLink())
	require.Len(t, m, 1)
	require.Equal(t, "RTM_NEWLINK eth0 address 02:00:00:00:00:01 mtu 1500 master kit0 "+
		"into the network namespace of fd 7 up", m[0].String())
	require.True(t, m[0].Ack)
	require.False(t, m[0].Get)
	require.Equal(t, 7, m[0].MovesToFD)
	require.Zero(t, m[0].MovesToPID)
}

func TestRoute(t *testing.T) {
	r := nl.NewNetlinkRequest(unix.RTM_NEWROUTE, 0)
	message := nl.NewRtMsg()
	message.Dst_len = 24
	r.AddData(message)
	r.AddData(nl.NewRtAttr(unix.RTA_DST, []byte{10, 2, 3, 0}))
	r.AddData(nl.NewRtAttr(unix.RTA_OIF, nl.Uint32Attr(9)))
	r.AddData(nl.NewRtAttr(unix.RTA_PREFSRC, []byte{10, 1, 0, 1}))
	require.Equal(t, "RTM_NEWROUTE 10.2.3.0/24 dev link 9 src 10.1.0.1",
		route.Read(r.Serialize())[0].String())
	all := nl.NewNetlinkRequest(unix.RTM_GETROUTE, unix.NLM_F_DUMP)
	all.AddData(nl.NewRtMsg())
	m := route.Read(all.Serialize())[0]
	require.Equal(t, "RTM_GETROUTE all", m.String())
	require.True(t, m.Get)
}

// answer is what the kernel sends back for the first request.
func answer(request []byte, errno unix.Errno, reason string) []byte {
	body := binary.NativeEndian.AppendUint32(nil, uint32(-int32(errno)))
	body = append(body, request[:headerSize]...)
	attributes, _ := netlink.MarshalAttributes([]netlink.Attribute{
		{Type: unix.NLMSGERR_ATTR_MSG, Data: append([]byte(reason), 0)},
	})
	body = append(body, attributes...)
	header := binary.NativeEndian.AppendUint32(nil, uint32(headerSize+len(body)))
	header = binary.NativeEndian.AppendUint16(header, unix.NLMSG_ERROR)
	header = binary.NativeEndian.AppendUint16(header, unix.NLM_F_CAPPED|unix.NLM_F_ACK_TLVS)
	header = append(header, request[8:16]...)
	return append(header, body...)
}

func TestAnswer(t *testing.T) {
	request := moveLink()
	m := route.Read(answer(request, unix.EBUSY, "not now"))[0]
	require.Equal(t, "answer to RTM_NEWLINK: EBUSY", m.String())
	require.Equal(t, unix.EBUSY, m.Refused)
	require.Equal(t, "not now", m.Reason)
	require.Equal(t, route.Read(request)[0].Seq, m.Seq)
	m = route.Read(answer(request, 0, ""))[0]
	require.True(t, m.Answer)
	require.Equal(t, "answer to RTM_NEWLINK: done", m.String())
}

func TestRule(t *testing.T) {
	status := binary.NativeEndian.AppendUint32(nil, expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED)
	for want, exprs := range map[string][]expr.Any{
		"ct state established,related accept": {
			&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
			&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: status, Xor: make([]byte, 4)},
			&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
			&expr.Verdict{Kind: expr.VerdictAccept},
		},
		"iifname \"eth*\" ip daddr 10.0.0.0/8 jump other": {
			&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1},
			&expr.Cmp{Register: 1, Data: []byte("eth")},
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 16, Len: 1},
			&expr.Cmp{Register: 1, Data: []byte{10}},
			&expr.Verdict{Kind: expr.VerdictJump, Chain: "other"},
		},
		"meta l4proto udp udp dport 53-60 drop": {
			&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
			&expr.Cmp{Register: 1, Data: []byte{unix.IPPROTO_UDP}},
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
			&expr.Range{Register: 1, FromData: []byte{0, 53}, ToData: []byte{0, 60}},
			&expr.Verdict{Kind: expr.VerdictDrop},
		},
		"ct state ! established,related drop": {
			&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
			&expr.Bitwise{
				SourceRegister: 1, DestRegister: 1, Len: 4, Xor: make([]byte, 4),
				Mask: binary.NativeEndian.AppendUint32(nil,
					expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED),
			},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: make([]byte, 4)},
			&expr.Verdict{Kind: expr.VerdictDrop},
		},
		"(quota)": {&expr.Quota{Bytes: 1}},
	} {
		var list []netlink.Attribute
		for _, e := range exprs {
			data, err := expr.Marshal(unix.NFPROTO_IPV4, e)
			require.NoError(t, err)
			list = append(list, netlink.Attribute{Type: unix.NFTA_LIST_ELEM, Data: data})
		}
		data, err := netlink.MarshalAttributes(list)
		require.NoError(t, err)
		require.Equal(t, want, rule(unix.NFPROTO_IPV4, data))
	}
}

// newRule is a request of nftables.
func newRule(t require.TestingT) []byte {
	var list []netlink.Attribute
	for _, e := range []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4},
		&expr.Bitwise{
			SourceRegister: 1, DestRegister: 1, Len: 4,
			Mask: []byte{255, 255, 0, 0}, Xor: make([]byte, 4),
		},
		&expr.Cmp{Register: 1, Data: []byte{10, 1, 0, 0}},
		&expr.Immediate{Register: 1, Data: []byte{10, 1, 0, 2}},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1},
	} {
		data, err := expr.Marshal(unix.NFPROTO_IPV4, e)
		require.NoError(t, err)
		list = append(list, netlink.Attribute{Type: unix.NFTA_LIST_ELEM, Data: data})
	}
	exprs, err := netlink.MarshalAttributes(list)
	require.NoError(t, err)
	body, err := netlink.MarshalAttributes([]netlink.Attribute{
		{Type: unix.NFTA_RULE_TABLE, Data: []byte("kit\x00")},
		{Type: unix.NFTA_RULE_CHAIN, Data: []byte("in\x00")},
		{Type: unix.NLA_F_NESTED | unix.NFTA_RULE_EXPRESSIONS, Data: exprs},
	})
	require.NoError(t, err)
	r := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_NEWRULE, unix.NLM_F_ACK)
	r.AddRawData(append([]byte{unix.NFPROTO_IPV4, 0, 0, 0}, body...))
	return r.Serialize()
}

func TestNewRule(t *testing.T) {
	m := (&Reader{Protocol: unix.NETLINK_NETFILTER}).Read(newRule(t))[0]
	require.Equal(t, "NFT_MSG_NEWRULE ip kit in: ip saddr 10.1.0.0/16 dnat to 10.1.0.2", m.String())
	require.Equal(t, "nft rule ip kit in", m.Object)
	require.Equal(t, "ip saddr 10.1.0.0/16 dnat to 10.1.0.2", m.Content)
}

// FuzzRead checks that nothing that a process may send harms the observer.
func FuzzRead(f *testing.F) {
	f.Add(moveLink())
	f.Add(answer(moveLink(), unix.EBUSY, "x"))
	f.Add(newRule(f))
	f.Fuzz(func(_ *testing.T, data []byte) {
		for _, protocol := range []int{unix.NETLINK_ROUTE, unix.NETLINK_NETFILTER, 99} {
			for _, m := range (&Reader{Protocol: protocol}).Read(data) {
				_ = m.String()
			}
		}
	})
}
