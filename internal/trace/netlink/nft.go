package netlink

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// nftNames are the messages of nftables (linux/netfilter/nf_tables.h), in threes that
// follow each other: NEW, GET, DEL.
var nftNames = [...]string{
	unix.NFT_MSG_NEWTABLE: "NEWTABLE", unix.NFT_MSG_GETTABLE: "GETTABLE",
	unix.NFT_MSG_DELTABLE: "DELTABLE", unix.NFT_MSG_NEWCHAIN: "NEWCHAIN",
	unix.NFT_MSG_GETCHAIN: "GETCHAIN", unix.NFT_MSG_DELCHAIN: "DELCHAIN",
	unix.NFT_MSG_NEWRULE: "NEWRULE", unix.NFT_MSG_GETRULE: "GETRULE",
	unix.NFT_MSG_DELRULE: "DELRULE", unix.NFT_MSG_NEWSET: "NEWSET",
	unix.NFT_MSG_GETSET: "GETSET", unix.NFT_MSG_DELSET: "DELSET",
	unix.NFT_MSG_NEWSETELEM: "NEWSETELEM", unix.NFT_MSG_GETSETELEM: "GETSETELEM",
	unix.NFT_MSG_DELSETELEM: "DELSETELEM", unix.NFT_MSG_NEWGEN: "NEWGEN",
	unix.NFT_MSG_GETGEN: "GETGEN",
}

// netfilterName is the name of a message's type: a subsystem and its message.
func netfilterName(kind uint16) string {
	switch kind {
	case unix.NFNL_MSG_BATCH_BEGIN:
		return "NFNL_MSG_BATCH_BEGIN"
	case unix.NFNL_MSG_BATCH_END:
		return "NFNL_MSG_BATCH_END"
	}
	n := int(kind & 0xff)
	if kind>>8 == unix.NFNL_SUBSYS_NFTABLES && n < len(nftNames) && nftNames[n] != "" {
		return "NFT_MSG_" + nftNames[n]
	}
	return "message " + strconv.Itoa(int(kind))
}

// netfilter is struct nfgenmsg and the attributes of one object of nftables.
func (r *Reader) netfilter(m *Message, kind uint16, body []byte) {
	const size = 4
	if kind>>8 != unix.NFNL_SUBSYS_NFTABLES || len(body) < size {
		return
	}
	n := int(kind & 0xff)
	verb := strings.TrimPrefix(m.Name, "NFT_MSG_")
	m.Get, m.Removes = strings.HasPrefix(verb, "GET"), strings.HasPrefix(verb, "DEL")
	family, a := body[0], body[size:]
	m.Object = "nft " + strings.ToLower(strings.TrimLeft(verb[min(3, len(verb)):], " "))
	switch n {
	case unix.NFT_MSG_NEWTABLE, unix.NFT_MSG_GETTABLE, unix.NFT_MSG_DELTABLE:
		m.name(family, find(a, unix.NFTA_TABLE_NAME))
		m.Content = "empty"
	case unix.NFT_MSG_NEWCHAIN, unix.NFT_MSG_GETCHAIN, unix.NFT_MSG_DELCHAIN:
		m.name(family, find(a, unix.NFTA_CHAIN_TABLE), find(a, unix.NFTA_CHAIN_NAME))
		m.Content = chain(family, a)
	case unix.NFT_MSG_NEWRULE, unix.NFT_MSG_GETRULE, unix.NFT_MSG_DELRULE:
		m.name(family, find(a, unix.NFTA_RULE_TABLE), find(a, unix.NFTA_RULE_CHAIN))
		m.Content = rule(family, find(a, unix.NFTA_RULE_EXPRESSIONS))
	case unix.NFT_MSG_NEWSET, unix.NFT_MSG_GETSET, unix.NFT_MSG_DELSET:
		m.name(family, find(a, unix.NFTA_SET_TABLE), find(a, unix.NFTA_SET_NAME))
		m.Content = "empty"
	case unix.NFT_MSG_NEWSETELEM, unix.NFT_MSG_GETSETELEM, unix.NFT_MSG_DELSETELEM:
		m.Object = "nft elements of set"
		m.name(family, find(a, unix.NFTA_SET_ELEM_LIST_TABLE), find(a, unix.NFTA_SET_ELEM_LIST_SET))
		m.Content = elements(find(a, unix.NFTA_SET_ELEM_LIST_ELEMENTS))
	default:
		m.Object = ""
		return
	}
	_, m.Text, _ = strings.Cut(m.Object[len("nft "):], " ")
	switch {
	case m.Removes:
		m.Content = "with all that was in it"
	case m.Get || m.Content == "empty":
	default:
		m.Text += ": " + m.Content
	}
	if m.Get {
		m.Object = ""
	}
}

// name adds an object's full name: the family, and the names from the table on.
func (m *Message) name(family byte, names ...[]byte) {
	m.Object += " " + familyName(family)
	for _, n := range names {
		if n != nil {
			m.Object += " " + text(n)
		}
	}
}

// familyName is that of nft(8).
func familyName(family byte) string {
	switch family {
	case unix.NFPROTO_INET:
		return "inet"
	case unix.NFPROTO_IPV4:
		return "ip"
	case unix.NFPROTO_IPV6:
		return "ip6"
	case unix.NFPROTO_ARP:
		return "arp"
	case unix.NFPROTO_BRIDGE:
		return "bridge"
	case unix.NFPROTO_NETDEV:
		return "netdev"
	}
	return "family " + strconv.Itoa(int(family))
}

// hooks are where the kernel stops a packet, by number.
var hooks = [...]string{"prerouting", "input", "forward", "output", "postrouting"}

// chain says when a chain runs, as nft(8) does.
func chain(family byte, a []byte) string {
	hook := find(a, unix.NFTA_CHAIN_HOOK)
	if hook == nil {
		return "runs where a rule jumps to it"
	}
	var words []string
	if kind := text(find(a, unix.NFTA_CHAIN_TYPE)); kind != "" {
		words = append(words, "type "+kind)
	}
	number := big(find(hook, unix.NFTA_HOOK_HOOKNUM))
	name := "hook " + strconv.Itoa(int(number))
	if int(number) < len(hooks) && family != unix.NFPROTO_NETDEV && family != unix.NFPROTO_ARP {
		name = "hook " + hooks[number]
	}
	words = append(words, name,
		"priority "+strconv.Itoa(int(int32(big(find(hook, unix.NFTA_HOOK_PRIORITY))))))
	if policy := find(a, unix.NFTA_CHAIN_POLICY); policy != nil {
		words = append(words, "policy "+[...]string{"drop", "accept"}[big(policy)&1])
	}
	return strings.Join(words, " ")
}

// elements are a set's, as far as they are numbers.
func elements(data []byte) string {
	var list []string
	for _, e := range attributes(data) {
		key := find(find(e.Data, unix.NFTA_SET_ELEM_KEY), unix.NFTA_DATA_VALUE)
		list = append(list, plain(key))
	}
	return "{ " + strings.Join(list, ", ") + " }"
}
