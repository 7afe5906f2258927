package trace

import (
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// network is a tracee whose child makes a network, in a network namespace of its own.
func network() int {
	mark()
	attr := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	if os.Getuid() != 0 {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	pid, err := syscall.ForkExec("/proc/self/exe", os.Args, &syscall.ProcAttr{
		Env: []string{roleEnv + "=inside"}, Files: []uintptr{0, 1, 2}, Sys: attr,
	})
	if err != nil {
		return 97
	}
	var status unix.WaitStatus
	for errors.Is(wait(pid, &status), unix.EINTR) {
	}
	return status.ExitStatus()
}

func insideNetwork() int {
	for i, f := range []func() error{makeLinks, makeRoute, refuse, makeRules, removeRules} {
		if f() != nil {
			return 10 + i
		}
	}
	return 0
}

func makeLinks() error {
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "kit0"}}
	// A bridge.
	if err := netlink.LinkAdd(bridge); err != nil {
		return err
	}
	veth := netlink.NewVeth(netlink.LinkAttrs{Name: "host0"})
	veth.PeerName = "eth0"
	// A pair.
	if err := netlink.LinkAdd(veth); err != nil {
		return err
	}
	// One end in the bridge.
	if err := netlink.LinkSetMaster(veth, bridge); err != nil {
		return err
	}
	// Up.
	if err := netlink.LinkSetUp(bridge); err != nil {
		return err
	}
	address := &netlink.Addr{IPNet: &net.IPNet{IP: net.IPv4(10, 1, 0, 1), Mask: net.CIDRMask(16, 32)}}
	// An address.
	return netlink.AddrAdd(bridge, address)
}

func makeRoute() error {
	// The way out.
	return netlink.RouteAdd(&netlink.Route{Gw: net.IPv4(10, 1, 0, 2)})
}

func refuse() error {
	// There is one already.
	err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "kit0"}})
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	return unix.EINVAL
}

func ifname(name string) []byte { return append([]byte(name), make([]byte, 16-len(name))...) }

func makeRules() error {
	c := &nftables.Conn{}
	table := c.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "kit"})
	accept := nftables.ChainPolicyAccept
	chain := c.AddChain(&nftables.Chain{
		Name: "postrouting", Table: table, Type: nftables.ChainTypeNAT, Policy: &accept,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4},
		&expr.Bitwise{
			SourceRegister: 1, DestRegister: 1, Len: 4,
			Mask: []byte{255, 255, 0, 0}, Xor: make([]byte, 4),
		},
		&expr.Cmp{Register: 1, Data: []byte{10, 1, 0, 0}},
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: 1},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: ifname("kit0")},
		&expr.Counter{},
		&expr.Masq{},
	}})
	pre := c.AddChain(&nftables.Chain{
		Name: "prerouting", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest,
	})
	c.AddRule(&nftables.Rule{Table: table, Chain: pre, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Register: 1, Data: []byte{0x1f, 0x90}},
		&expr.Immediate{Register: 1, Data: []byte{10, 1, 0, 2}},
		&expr.Immediate{Register: 2, Data: []byte{0, 80}},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2},
	}})
	// All at once.
	return c.Flush()
}

func removeRules() error {
	c := &nftables.Conn{}
	c.DelTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "kit"})
	// And gone.
	return c.Flush()
}

// by are the lessons of a function.
func (s events) by(function string) (list events) {
	for _, e := range s {
		if e.Func == function && e.Class == Lesson {
			list = append(list, e)
		}
	}
	return list
}

// said are the messages of all of them.
func (s events) said() (lines []string) {
	for _, e := range s {
		for _, d := range e.Decoded {
			lines = append(lines, d.Lines...)
		}
	}
	return lines
}

// became is what changed, without the namespace and the process in which.
func (s events) became() (lines []string) {
	for _, e := range s {
		for _, c := range e.Changes {
			what, _, _ := strings.Cut(c.What, " in net:[")
			lines = append(lines, what+": "+c.Before+" → "+c.After)
		}
	}
	return lines
}

func TestNetwork(t *testing.T) {
	s, exit := observe(t, "network")
	if exit == 10 {
		ktest.Lacks(t, "veth")
	}
	require.Zero(t, exit)
	links := s.by("makeLinks")
	for _, line := range []string{
		"RTM_NEWLINK kit0 kind bridge",
		"RTM_NEWLINK host0 kind veth (peer eth0)",
		"RTM_SETLINK host0 master kit0",
		"RTM_NEWLINK kit0 up",
		"RTM_NEWADDR 10.1.0.1/16 dev kit0 broadcast 10.1.255.255",
	} {
		require.True(t, slices.ContainsFunc(links.said(), func(l string) bool {
			return strings.Contains(l, line)
		}), "%s in %q", line, links.said())
	}
	became := links.became()
	for _, line := range []string{
		"link kit0:  → down", "link host0:  → down", "link eth0:  → down",
		"link kit0: down → up", "address of kit0:  → 10.1.0.1",
	} {
		require.Contains(t, strings.Join(became, "\n"), line)
	}
	route := s.by("makeRoute")
	require.Contains(t, route.said(), "RTM_NEWROUTE default via 10.1.0.2")
	require.Contains(t, route.became(), "default route:  → via 10.1.0.2 dev kit0")
}

func TestNetworkRefused(t *testing.T) {
	s, exit := observe(t, "network")
	if exit == 10 {
		ktest.Lacks(t, "veth")
	}
	refused := s.by("refuse")
	require.NotEmpty(t, refused)
	require.Equal(t, "EEXIST", refused[0].Refused)
	require.Contains(t, refused[0].Meaning, "the kernel refuses RTM_NEWLINK: EEXIST, file exists")
	require.Empty(t, refused[0].Errno)
}

func TestRules(t *testing.T) {
	s, exit := observe(t, "network")
	if exit == 10 || exit == 13 {
		ktest.Lacks(t, "nat")
	}
	require.Zero(t, exit)
	made := s.by("makeRules")
	require.Equal(t, []string{
		"nft table ip kit:  → empty",
		"nft chain ip kit postrouting:  → type nat hook postrouting priority 100 policy accept",
		"nft rule ip kit postrouting:  → ip saddr 10.1.0.0/16 oifname != \"kit0\" counter masquerade",
		"nft chain ip kit prerouting:  → type nat hook prerouting priority -100",
		"nft rule ip kit prerouting:  → meta l4proto tcp tcp dport 8080 dnat to 10.1.0.2:80",
	}, made.became())
	require.Contains(t, made.said(), "NFT_MSG_NEWTABLE ip kit")
	require.Equal(t, []string{"nft table ip kit: with all that was in it → "},
		s.by("removeRules").became())
}
