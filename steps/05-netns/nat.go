package netns

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"

	"github.com/containerkit/kit/internal/container"
)

// A chains are those of kit's own table, so that no rule of the host's is touched.
type chains struct {
	table *nftables.Table
	guard *nftables.Chain // drops what no honest container sends
	in    *nftables.Chain // what comes to the host
	self  *nftables.Chain // what the host itself sends
	out   *nftables.Chain // what leaves the host
	pass  *nftables.Chain // what the host passes on
}

// translate makes the rules: the containers' way out, and the published ports.
func translate(c *container.Container) error {
	conn := &nftables.Conn{}
	k, err := openTable(conn, c)
	if err != nil {
		return err
	}
	for _, p := range c.Net.Publish {
		for _, chain := range []*nftables.Chain{k.in, k.self} {
			conn.AddRule(&nftables.Rule{
				Table: k.table, Chain: chain, UserData: nameTag(c),
				Exprs: publish(p, c.Net.Address.Addr()),
			})
		}
	}
	// All of it at once, or nothing: the container's ports lead to it from now on.
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("nftables: rules of %s: %w", c.Name, err)
	}
	warnOfFirewall(c, conn)
	if len(c.Net.Publish) == 0 {
		return nil
	}
	// Packets of the host's own 127.0.0.1 may leave through the bridge.
	err = write(localRoute, "1")
	if locked(err) {
		c.Notes = append(c.Notes, "/proc/sys cannot be written to: published ports are not at 127.0.0.1")
		return nil
	}
	return err
}

// openTable returns kit's table, with what every container needs in it, and asks
// for it where this is the first container.
func openTable(conn *nftables.Conn, c *container.Container) (chains, error) {
	k := newChains()
	// Is it there? Then others are.
	tables, err := conn.ListTablesOfFamily(nftables.TableFamilyIPv4)
	if err != nil {
		return k, fmt.Errorf("nftables: %w", err)
	}
	for _, t := range tables {
		if t.Name == k.table.Name {
			return k, nil
		}
	}
	conn.AddTable(k.table)
	for _, chain := range []*nftables.Chain{k.guard, k.in, k.self, k.out, k.pass} {
		conn.AddChain(chain)
	}
	network := c.Net.Address.Masked()
	local := netip.MustParsePrefix("127.0.0.0/8")
	for _, r := range []struct {
		chain *nftables.Chain
		exprs [][]expr.Any
	}{
		// Nobody but the host itself may speak to its 127.0.0.1.
		{k.guard, [][]expr.Any{from(bridgeName, true), to(local), drop()}},
		// From outside only ports that are published can be reached, though the host
		// would pass on anything now.
		{k.pass, [][]expr.Any{
			from(bridgeName, false), leavingBy(bridgeName, true), unasked(), direct(), drop(),
		}},
		// Who answers could not reach a container's address: outside it gets the host's.
		{k.out, [][]expr.Any{source(network), leavingBy(bridgeName, false), {&expr.Masq{}}}},
		// The host's own 127.0.0.1 means somebody else to a container.
		{k.out, [][]expr.Any{source(local), leavingBy(bridgeName, true), {&expr.Masq{}}}},
		// A container that asks for a published port of another on the same bridge: the
		// answer must come back through the host, who has changed the question.
		{k.out, [][]expr.Any{source(network), leavingBy(bridgeName, true), redirected(), {&expr.Masq{}}}},
	} {
		conn.AddRule(&nftables.Rule{
			Table: k.table, Chain: r.chain, Exprs: rule(r.exprs),
		})
	}
	return k, nil
}

// nameTag marks a rule with the name of the container that it is for: nft shows it
// as the rule's comment.
func nameTag(c *container.Container) []byte {
	return userdata.AppendString(nil, userdata.TypeComment, c.Name)
}

func newChains() chains {
	table := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: "kit"}
	chain := func(name string, kind nftables.ChainType, hook *nftables.ChainHook,
		priority *nftables.ChainPriority,
	) *nftables.Chain {
		return &nftables.Chain{Name: name, Table: table, Type: kind, Hooknum: hook, Priority: priority}
	}
	return chains{
		table: table,
		guard: chain("guard", nftables.ChainTypeFilter, nftables.ChainHookPrerouting,
			nftables.ChainPriorityRaw),
		in: chain("in", nftables.ChainTypeNAT, nftables.ChainHookPrerouting,
			nftables.ChainPriorityNATDest),
		self: chain("self", nftables.ChainTypeNAT, nftables.ChainHookOutput,
			nftables.ChainPriorityNATDest),
		pass: chain("pass", nftables.ChainTypeFilter, nftables.ChainHookForward,
			nftables.ChainPriorityFilter),
		out: chain("out", nftables.ChainTypeNAT, nftables.ChainHookPostrouting,
			nftables.ChainPriorityNATSource),
	}
}
