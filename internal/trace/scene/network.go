package scene

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	words "github.com/containerkit/kit/internal/trace/netlink"
)

// maxLinks bounds what is told of a machine with very many links.
const maxLinks = 200

// network adds a process's network namespace, if it is new.
func (t *taker) network(p *Process) {
	namespace := p.namespace("net")
	if namespace == "" || slices.ContainsFunc(t.Networks, func(n Network) bool {
		return n.Namespace == namespace
	}) {
		return
	}
	n, err := t.readNetwork(p)
	if err != nil {
		t.note(fmt.Sprintf("network of process %d", p.Pid), err)
		return
	}
	n.Namespace = namespace
	if len(n.Links) > maxLinks {
		t.Errors = append(t.Errors, fmt.Sprintf("network of process %d: %d links, of which %d are told",
			p.Pid, len(n.Links), maxLinks))
		n.Links = n.Links[:maxLinks]
	}
	t.Networks = append(t.Networks, *n)
}

// readNetwork asks sockets in the process's network namespace (rtnetlink(7)).
func (t *taker) readNetwork(p *Process) (*Network, error) {
	s, err := t.open(p, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	defer s.close()
	n := &Network{Links: []Link{}, Routes: []string{}, Rules: []string{}}
	if err := n.addLinks(s); err != nil {
		return nil, err
	}
	if err := n.addAddresses(s); err != nil {
		return nil, err
	}
	if err := n.addRoutes(s); err != nil {
		return nil, err
	}
	return n, n.addRules(t, p)
}

func (n *Network) addLinks(s *socket) error {
	masters := map[int]int{} // by index
	request := make([]byte, unix.SizeofIfInfomsg)
	err := s.dump(unix.RTM_GETLINK, request, func(m *syscall.NetlinkMessage) error {
		header := unix.NlMsghdr{Len: m.Header.Len, Type: m.Header.Type}
		found, err := netlink.LinkDeserialize(&header, m.Data)
		if err != nil {
			return err
		}
		a := found.Attrs()
		l := Link{
			Index: a.Index, Name: a.Name, Kind: found.Type(), MAC: a.HardwareAddr.String(), MTU: a.MTU,
			Up: a.RawFlags&unix.IFF_UP != 0, Addresses: []string{},
		}
		if a.RawFlags&unix.IFF_LOOPBACK != 0 {
			l.Kind = "loopback"
		}
		if l.Kind == "veth" {
			l.Peer = a.ParentIndex
		}
		masters[l.Index] = a.MasterIndex
		n.Links = append(n.Links, l)
		return nil
	})
	for i := range n.Links {
		n.Links[i].Master = n.name(masters[n.Links[i].Index])
	}
	return err
}

// name is that of the link with an index, "" where there is none.
func (n *Network) name(index int) string {
	for _, l := range n.Links {
		if l.Index == index {
			return l.Name
		}
	}
	return ""
}

func (n *Network) addAddresses(s *socket) error {
	request := make([]byte, unix.SizeofIfAddrmsg)
	return s.dump(unix.RTM_GETADDR, request, func(m *syscall.NetlinkMessage) error {
		header := nl.DeserializeIfAddrmsg(m.Data)
		attributes, err := nl.ParseRouteAttr(m.Data[header.Len():])
		if err != nil {
			return err
		}
		// Of a link with two ends the local one, which others have not.
		found := map[uint16][]byte{}
		for _, a := range attributes {
			found[a.Attr.Type] = a.Value
		}
		value := found[unix.IFA_LOCAL]
		if value == nil {
			value = found[unix.IFA_ADDRESS]
		}
		address, ok := netip.AddrFromSlice(value)
		for i := range n.Links {
			if ok && n.Links[i].Index == int(header.Index) {
				prefix := netip.PrefixFrom(address, int(header.Prefixlen)).String()
				n.Links[i].Addresses = append(n.Links[i].Addresses, prefix)
			}
		}
		return nil
	})
}

// addRoutes adds the routes of the table that ip route shows.
func (n *Network) addRoutes(s *socket) error {
	reader := words.Reader{Protocol: unix.NETLINK_ROUTE, Link: n.name}
	request := make([]byte, unix.SizeofRtMsg)
	request[0] = unix.AF_INET
	return s.dump(unix.RTM_GETROUTE, request, func(m *syscall.NetlinkMessage) error {
		if header := nl.DeserializeRtMsg(m.Data); header.Table != unix.RT_TABLE_MAIN {
			return nil
		}
		for _, said := range reader.Read(whole(m)) {
			n.Routes = append(n.Routes, said.Text)
		}
		return nil
	})
}

// addRules adds the rules of kit's own table of nftables.
func (n *Network) addRules(t *taker, p *Process) error {
	s, err := t.open(p, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil //nolint:nilerr // a kernel without nftables has no rules
	}
	defer s.close()
	reader := words.Reader{Protocol: unix.NETLINK_NETFILTER, Link: n.name}
	const kind = unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_GETRULE
	request := make([]byte, 4) // struct nfgenmsg
	err = s.dump(kind, request, func(m *syscall.NetlinkMessage) error {
		for _, said := range reader.Read(whole(m)) {
			if f := strings.Fields(said.Text); len(f) > 1 && f[1] == "kit" {
				n.Rules = append(n.Rules, said.Text)
			}
		}
		return nil
	})
	if err != nil {
		// Whom it does not concern is told of none (CAP_NET_ADMIN), nor is anybody without nftables.
		return nil //nolint:nilerr // as said
	}
	return nil
}

// pairs finds the other ends of veth pairs: each names the other's index.
func (t *taker) pairs() {
	for i := range t.Networks {
		for j := range t.Networks {
			if i != j {
				t.Networks[i].pair(&t.Networks[j])
			}
		}
	}
}

// pair finds the ends of pairs whose other end is in another namespace.
func (n *Network) pair(other *Network) {
	for i := range n.Links {
		l := &n.Links[i]
		for _, o := range other.Links {
			if l.Peer != 0 && o.Index == l.Peer && o.Peer == l.Index && !n.holds(l) {
				l.PeerNamespace = other.Namespace
			}
		}
	}
}

// holds tells that both ends of a pair are here.
func (n *Network) holds(l *Link) bool {
	return slices.ContainsFunc(n.Links, func(o Link) bool {
		return o.Index == l.Peer && o.Peer == l.Index
	})
}
