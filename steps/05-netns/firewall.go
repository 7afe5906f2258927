package netns

import (
	"bytes"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/containerkit/kit/internal/container"
)

// warnOfFirewall tells the user where a firewall of the host's drops what is passed
// on, as Docker's does. It is the host's decision: what one chain drops, no rule of
// another can save, and kit changes no table but its own.
func warnOfFirewall(c *container.Container, conn *nftables.Conn) {
	// All chains of all tables: which decide on packets that are passed on?
	all, err := conn.ListChains()
	if err != nil {
		return // nobody is worse off without the warning
	}
	for _, chain := range all {
		if !dropsForwarded(chain) {
			continue
		}
		// Who has allowed the bridge its traffic has named it in a rule.
		rules, err := conn.GetRules(chain.Table, chain)
		if err == nil && !mentions(rules, bridgeName) {
			c.Notes = append(c.Notes, fmt.Sprintf("the host's firewall drops what it passes on "+
				"(nft list chain %s %s %s): containers may not get out, until rules there "+
				"accept iifname %s and oifname %[4]s",
				familyName(chain.Table.Family), chain.Table.Name, chain.Name, bridgeName))
		}
	}
}

// dropsForwarded tells that a chain decides on forwarded packets, and that its last
// word is no.
func dropsForwarded(c *nftables.Chain) bool {
	return c.Hooknum != nil && *c.Hooknum == *nftables.ChainHookForward &&
		c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop &&
		(c.Table.Family == nftables.TableFamilyIPv4 || c.Table.Family == nftables.TableFamilyINet)
}

// mentions tells that one of the rules compares something with the name.
func mentions(rules []*nftables.Rule, name string) bool {
	for _, r := range rules {
		for _, e := range r.Exprs {
			compared, ok := e.(*expr.Cmp)
			if ok && bytes.HasPrefix(compared.Data, []byte(name)) {
				return true
			}
		}
	}
	return false
}

// familyName is the family as nft(8) writes it.
func familyName(f nftables.TableFamily) string {
	if f == nftables.TableFamilyINet {
		return "inet"
	}
	return "ip"
}
