package netlink

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// families are the objects of rtnetlink(7), by the number of their first message:
// NEW, DEL, GET and SET follow each other.
var families = [...]struct {
	first uint16
	name  string
}{
	{unix.RTM_NEWLINK, "LINK"},
	{unix.RTM_NEWADDR, "ADDR"},
	{unix.RTM_NEWROUTE, "ROUTE"},
	{unix.RTM_NEWNEIGH, "NEIGH"},
	{unix.RTM_NEWRULE, "RULE"},
	{unix.RTM_NEWQDISC, "QDISC"},
	{unix.RTM_NEWTCLASS, "TCLASS"},
	{unix.RTM_NEWTFILTER, "TFILTER"},
	{unix.RTM_NEWNSID, "NSID"},
}

// routeName is the name of a message of rtnetlink(7).
func routeName(kind uint16) string {
	for _, f := range families {
		if kind >= f.first && kind < f.first+4 {
			return "RTM_" + [...]string{"NEW", "DEL", "GET", "SET"}[kind-f.first] + f.name
		}
	}
	return "message " + strconv.Itoa(int(kind))
}

func (r *Reader) route(m *Message, kind, flags uint16, body []byte) {
	m.Get = kind%4 == unix.RTM_GETLINK%4
	var words []string
	switch kind &^ 3 {
	case unix.RTM_NEWLINK:
		words = r.link(m, body)
	case unix.RTM_NEWADDR:
		words = r.address(body)
	case unix.RTM_NEWROUTE:
		words = r.routeWords(body)
	}
	if m.Get && flags&unix.NLM_F_DUMP == unix.NLM_F_DUMP {
		words = []string{"all"}
	}
	m.Text = strings.Join(words, " ")
}

// link is struct ifinfomsg and its attributes.
func (r *Reader) link(m *Message, body []byte) []string {
	const size = unix.SizeofIfInfomsg
	if len(body) < size {
		return nil
	}
	var words []string
	index := int(int32(binary.NativeEndian.Uint32(body[4:])))
	if index > 0 && find(body[size:], unix.IFLA_IFNAME) == nil {
		words = append(words, r.dev(index))
	}
	words = append(words, r.linkAttributes(m, body[size:])...)
	flags, change := binary.NativeEndian.Uint32(body[8:]), binary.NativeEndian.Uint32(body[12:])
	if (flags|change)&unix.IFF_UP != 0 && !m.Get {
		words = append(words, [...]string{"down", "up"}[flags&unix.IFF_UP])
	}
	if change&unix.IFF_PROMISC != 0 {
		words = append(words, "promiscuous")
	}
	return words
}

// linkAttributes are a link's, its kind's among them.
func (r *Reader) linkAttributes(m *Message, data []byte) []string {
	var words []string
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	for _, a := range attributes(data) {
		switch kindOf(a) {
		case unix.IFLA_IFNAME:
			add("%s", text(a.Data))
		case unix.IFLA_LINKINFO:
			kind := text(find(a.Data, unix.IFLA_INFO_KIND))
			add("kind %s", kind)
			words = append(words, r.kindData(m, kind, find(a.Data, unix.IFLA_INFO_DATA))...)
		case unix.IFLA_MASTER:
			add("master %s", r.dev(int(host(a.Data))))
		case unix.IFLA_NET_NS_PID:
			m.MovesToPID = int(host(a.Data))
			add("into the network namespace of process %d", host(a.Data))
		case unix.IFLA_NET_NS_FD:
			m.MovesToFD = int(host(a.Data))
			add("into the network namespace of fd %d", host(a.Data))
		case unix.IFLA_ADDRESS:
			add("address %s", net.HardwareAddr(a.Data))
		case unix.IFLA_MTU:
			add("mtu %d", host(a.Data))
		case unix.IFLA_PROTINFO:
			words = append(words, port(a.Data)...)
		}
	}
	return words
}

// port is what a bridge is told about one of its ports.
func port(data []byte) []string {
	mode := find(data, unix.IFLA_BRPORT_MODE)
	if len(mode) == 0 {
		return nil
	}
	return []string{"hairpin " + [...]string{"off", "on"}[mode[0]&1]}
}

// kindData is what one kind of link wants to know: a veth, about its peer.
func (r *Reader) kindData(m *Message, kind string, data []byte) []string {
	const (
		peerInfo = 1 // VETH_INFO_PEER in linux/veth.h
		size     = unix.SizeofIfInfomsg
	)
	if kind != "veth" {
		return nil
	}
	peer := find(data, peerInfo)
	if len(peer) < size {
		return nil
	}
	return []string{"(peer " + strings.Join(r.linkAttributes(m, peer[size:]), " ") + ")"}
}

// address is struct ifaddrmsg and its attributes.
func (r *Reader) address(body []byte) []string {
	const size = unix.SizeofIfAddrmsg
	if len(body) < size {
		return nil
	}
	local := find(body[size:], unix.IFA_LOCAL)
	if local == nil {
		local = find(body[size:], unix.IFA_ADDRESS)
	}
	var words []string
	if local != nil {
		words = append(words, ip(local)+"/"+strconv.Itoa(int(body[1])))
	}
	if index := int(host(body[4:])); index != 0 {
		words = append(words, "dev "+r.dev(index))
	}
	if broadcast := find(body[size:], unix.IFA_BROADCAST); broadcast != nil {
		words = append(words, "broadcast "+ip(broadcast))
	}
	return words
}

// routeWords are struct rtmsg and its attributes, as ip-route(8) writes them.
func (r *Reader) routeWords(body []byte) []string {
	const size = unix.SizeofRtMsg
	if len(body) < size {
		return nil
	}
	a := body[size:]
	destination := "default"
	if to := find(a, unix.RTA_DST); to != nil {
		destination = ip(to) + "/" + strconv.Itoa(int(body[1]))
	}
	words := []string{destination}
	if via := find(a, unix.RTA_GATEWAY); via != nil {
		words = append(words, "via "+ip(via))
	}
	if index := int(host(find(a, unix.RTA_OIF))); index != 0 {
		words = append(words, "dev "+r.dev(index))
	}
	if source := find(a, unix.RTA_PREFSRC); source != nil {
		words = append(words, "src "+ip(source))
	}
	return words
}

// dev names a network interface.
func (r *Reader) dev(index int) string {
	if r.Link != nil {
		if name := r.Link(index); name != "" {
			return name
		}
	}
	return "link " + strconv.Itoa(index)
}

func ip(data []byte) string {
	addr, ok := netip.AddrFromSlice(data)
	if !ok {
		return fmt.Sprintf("0x%x", data)
	}
	return addr.String()
}
