package oracle

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/state"
)

// refusals are what rtnetlink(7) and nftables mean by the errno of an answer.
var refusals = [...]struct {
	request string // the beginning of the message's name
	errno   unix.Errno
	cause   string
}{
	{"RTM_NEWLINK", unix.EEXIST, "a link of that name is there already"},
	{"RTM_NEWLINK", unix.EOPNOTSUPP, "the kernel does not know links of this kind"},
	{"RTM_NEWLINK", unix.ENODEV, "there is no such link"},
	{"RTM_NEWLINK", unix.EINVAL, "the name, or another attribute, is not one that a link can have"},
	{"RTM_NEWLINK", unix.ESRCH, "there is no process of that number to move the link to"},
	{"RTM_NEWLINK", unix.EBUSY, "the link belongs to another one already, or is up"},
	{"RTM_DELLINK", unix.ENODEV, "there is no such link"},
	{"RTM_DELLINK", unix.EOPNOTSUPP, "links of this kind cannot be removed"},
	{"RTM_GETLINK", unix.ENODEV, "there is no such link"},
	{"RTM_NEWADDR", unix.EEXIST, "the link has that address already"},
	{"RTM_NEWADDR", unix.ENODEV, "there is no such link"},
	{"RTM_NEWADDR", unix.EACCES, "IPv6 is disabled on the link (net.ipv6.conf.*.disable_ipv6)"},
	{"RTM_DELADDR", unix.EADDRNOTAVAIL, "the link has no such address"},
	{"RTM_NEWROUTE", unix.EEXIST, "such a route is there already"},
	{"RTM_NEWROUTE", unix.ENETUNREACH, "the gateway is on no link that is up"},
	{"RTM_NEWROUTE", unix.ENETDOWN, "the link is not up"},
	{"RTM_NEWROUTE", unix.ENODEV, "there is no such link"},
	{"RTM_DELROUTE", unix.ESRCH, "there is no such route"},
	{
		"NFT_MSG_", unix.ENOENT,
		"the table, chain or rule is not there, or the kernel lacks the module for an expression",
	},
	{"NFT_MSG_", unix.EEXIST, "it is there already"},
	{"NFT_MSG_", unix.EBUSY, "something still refers to it"},
	{"NFT_MSG_", unix.EOPNOTSUPP, "the kernel cannot do this, as a module either"},
}

// Refusal says why the kernel has refused a request over netlink(7) with an errno: its
// name, and what it says. It is "" where nothing is known.
func Refusal(tid int, request, text string, errno unix.Errno) string {
	c := &Call{TID: tid}
	if errno == unix.EPERM {
		return c.lacks("CAP_NET_ADMIN", "net")
	}
	for _, r := range refusals {
		if r.errno != errno || !strings.HasPrefix(request, r.request) {
			continue
		}
		if name := c.linkIn(text); name != "" && errno == unix.EEXIST && request == "RTM_NEWLINK" {
			return "a link " + name + " is in " + c.namespace("net") + " already"
		}
		return r.cause
	}
	return ""
}

// linkIn is the first word of a text that is the name of a link.
func (c *Call) linkIn(text string) string {
	devices := string(state.Read(c.TID, "net/dev"))
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,:\"", r) })
	for _, word := range words {
		for line := range strings.Lines(devices) {
			if name, _, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && name == word {
				return name
			}
		}
	}
	return ""
}
