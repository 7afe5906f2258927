// Package netlink tells in words what is sent to the kernel, and what it answers,
// over netlink(7): links, addresses and routes (rtnetlink(7)), and the tables,
// chains and rules of nftables.
package netlink

import (
	"encoding/binary"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A Message is one message of a request or an answer.
type Message struct {
	Name string // RTM_NEWLINK
	Seq  uint32 // a request's, and that of the answers to it
	Text string // what it says, behind the name; may be empty
	Ack  bool   // a request that wants an answer even where there is nothing to say
	Get  bool   // a request that changes nothing

	// Of an answer to a request that has been carried out or refused (NLMSG_ERROR).
	Answer  bool
	Refused unix.Errno // 0: carried out
	Reason  string     // in the kernel's words, where it gives one

	// Of a request of nftables: what there will be if it is carried out, or what will
	// be gone.
	Object  string // nft rule ip kit postrouting
	Content string // masquerade
	Removes bool

	// Of a request that sends a link into another network namespace.
	MovesToPID int // that of this process, as the sender sees it; 0 for none
	MovesToFD  int // that of this open file; -1 for none
}

// String is the message in one line.
func (m Message) String() string { return strings.TrimSpace(m.Name + " " + m.Text) }

// A Reader reads messages of one protocol (NETLINK_ROUTE, NETLINK_NETFILTER).
type Reader struct {
	Protocol int
	// Link names the network interface with an index, "" for one that it does not know.
	Link func(index int) string
}

// headerSize is that of struct nlmsghdr.
const headerSize = unix.NLMSG_HDRLEN

// Read takes the messages of one datagram apart. What is cut off is passed over.
func (r *Reader) Read(data []byte) []Message {
	var list []Message
	for len(data) >= headerSize {
		length := int(binary.NativeEndian.Uint32(data))
		if length < headerSize || length > len(data) {
			break
		}
		list = append(list, r.message(data[:length]))
		data = data[min((length+3)&^3, len(data)):]
	}
	return list
}

func (r *Reader) message(data []byte) Message {
	kind := binary.NativeEndian.Uint16(data[4:])
	flags := binary.NativeEndian.Uint16(data[6:])
	m := Message{
		Name: r.name(kind), Seq: binary.NativeEndian.Uint32(data[8:]),
		Ack: flags&unix.NLM_F_ACK != 0, MovesToFD: -1,
	}
	body := data[headerSize:]
	switch {
	case kind == unix.NLMSG_ERROR:
		r.answer(&m, body, flags)
	case kind < unix.NLMSG_MIN_TYPE:
	case r.Protocol == unix.NETLINK_ROUTE:
		r.route(&m, kind, flags, body)
	case r.Protocol == unix.NETLINK_NETFILTER:
		r.netfilter(&m, kind, body)
	}
	return m
}

// answer is struct nlmsgerr, and the request's header, and what the kernel adds.
func (r *Reader) answer(m *Message, body []byte, flags uint16) {
	if len(body) < 4+headerSize {
		return
	}
	m.Answer = true
	m.Refused = unix.Errno(-int32(binary.NativeEndian.Uint32(body)))
	request := body[4:]
	m.Text = "to " + r.name(binary.NativeEndian.Uint16(request[4:])) + ": done"
	if m.Refused != 0 {
		m.Text = strings.TrimSuffix(m.Text, "done") + unix.ErrnoName(m.Refused)
	}
	skip := headerSize
	if flags&unix.NLM_F_CAPPED == 0 {
		skip = int(binary.NativeEndian.Uint32(request))
	}
	if flags&unix.NLM_F_ACK_TLVS == 0 || skip < headerSize || skip > len(request) {
		return
	}
	m.Reason = string(find(request[(skip+3)&^3:], unix.NLMSGERR_ATTR_MSG))
	m.Reason = strings.TrimRight(m.Reason, "\x00")
}

// name is that of a message's type.
func (r *Reader) name(kind uint16) string {
	switch kind {
	case unix.NLMSG_NOOP:
		return "NLMSG_NOOP"
	case unix.NLMSG_ERROR:
		return "answer"
	case unix.NLMSG_DONE:
		return "NLMSG_DONE"
	}
	if r.Protocol == unix.NETLINK_NETFILTER {
		return netfilterName(kind)
	}
	return routeName(kind)
}

// attributes takes a list of attributes apart, in the byte order that the headers have.
func attributes(data []byte) []netlink.Attribute {
	list, err := netlink.UnmarshalAttributes(data)
	if err != nil {
		return nil
	}
	return list
}

// kindOf is an attribute's type without its flags.
func kindOf(a netlink.Attribute) uint16 {
	return a.Type &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
}

// find returns the value of the first attribute of a type, nil where there is none.
func find(data []byte, kind uint16) []byte {
	for _, a := range attributes(data) {
		if kindOf(a) == kind {
			return a.Data
		}
	}
	return nil
}

// text is a string that ends in 0.
func text(data []byte) string {
	s, _, _ := strings.Cut(string(data), "\x00")
	return s
}

// host is a 32-bit number in the machine's byte order, 0 where there is none.
func host(data []byte) uint32 {
	if len(data) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(data)
}

// big is one in network byte order.
func big(data []byte) uint32 {
	if len(data) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(data)
}
