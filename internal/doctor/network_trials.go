package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// networkTrials are those of step 5, along the way that a packet takes out.
func networkTrials() []trial {
	const own = unix.CLONE_NEWNET
	return []trial{
		{
			id: "net", name: "network namespace", step: 5, ns: own, deed: loopback,
			vital: true, loses: "steps 5 and 6; --net host goes without",
		},
		{
			id: "veth", name: "cable (veth)", step: 5, ns: own, deed: veth,
			vital: true, loses: "--net bridge",
		},
		{
			id: "bridge", name: "bridge", step: 5, ns: own, deed: bridge,
			vital: true, loses: "--net bridge",
		},
		{
			id: "nat", name: "nftables, masquerade", step: 5, ns: own, deed: masquerade,
			vital: true, loses: "--net bridge",
		},
		{
			id: "forward", name: "forwarding (ip_forward)", step: 5, ns: own, deed: forward,
			loses: "the way out of the bridge",
		},
		{
			id: "firewall", name: "host's firewall lets through", step: 5, who: hostRoot,
			deed: firewall, loses: "the way out of the bridge",
		},
		{
			id: "uplink", name: "uplink", step: 5, who: oneself, deed: uplink,
			loses: "the way out of this machine",
		},
		{
			id: "dns", name: "name servers", step: 5, who: oneself, deed: resolvers,
			loses: "names inside, unless --dns names a server",
		},
		{
			id: "wayout", name: "way out without root", step: 5, who: oneself, deed: tryWayOut,
			loses: "the way out of a user's own network: containers reach each other only",
		},
	}
}

func loopback(*place) (string, error) {
	lo := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: "lo"}}
	if err := netlink.LinkSetUp(lo); err != nil {
		return "", fmt.Errorf("link lo up: %w", err)
	}
	return "", nil
}

func veth(*place) (string, error) {
	return addLink(&netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: "kit-doctor"}, PeerName: "eth0",
	})
}

func bridge(*place) (string, error) {
	return addLink(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "kit0"}})
}

func addLink(link netlink.Link) (string, error) {
	if err := netlink.LinkAdd(link); err != nil {
		return "", fmt.Errorf("link %s: %w", link.Attrs().Name, err)
	}
	return "", nil
}

// masquerade makes the rule by which containers get out.
func masquerade(*place) (string, error) {
	conn := &nftables.Conn{}
	table := conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "kit"})
	chain := conn.AddChain(&nftables.Chain{
		Name: "out", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{&expr.Masq{}}})
	if err := conn.Flush(); err != nil {
		return "", fmt.Errorf("nftables: %w", err)
	}
	return "", nil
}

const ipForward = "/proc/sys/net/ipv4/ip_forward"

// forward opens the switch in the network namespace of the trial.
func forward(*place) (string, error) {
	fd, err := unix.Open(ipForward, unix.O_WRONLY|unix.O_TRUNC|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", ipForward, err)
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte("1")); err != nil {
		return "", fmt.Errorf("write %s: %w", ipForward, err)
	}
	return "", nil
}

// firewall looks for a chain that drops what the host passes on, and has no word about
// kit's bridge.
func firewall(*place) (string, error) {
	conn := &nftables.Conn{}
	chains, err := conn.ListChains()
	if errors.Is(err, unix.EPERM) {
		return "the host's network is not ours to look into", errUntried
	}
	if err != nil {
		return "", fmt.Errorf("nftables: %w", err)
	}
	for _, c := range chains {
		if !dropsForwarded(c) {
			continue
		}
		rules, err := conn.GetRules(c.Table, c)
		if err == nil && !mention(rules, "kit0") {
			family := "ip"
			if c.Table.Family == nftables.TableFamilyINet {
				family = "inet"
			}
			return "", fmt.Errorf("firewall: chain %s %s %s drops what is forwarded: %w",
				family, c.Table.Name, c.Name, unix.EPERM)
		}
	}
	out, err := exec.Command("iptables-legacy", "-S", "FORWARD").Output()
	if err == nil && strings.Contains(string(out), "-P FORWARD DROP") &&
		!strings.Contains(string(out), "kit0") {
		return "", fmt.Errorf("firewall: chain FORWARD of iptables-legacy drops what is forwarded: %w",
			unix.EPERM)
	}
	return "", nil
}

func dropsForwarded(c *nftables.Chain) bool {
	return c.Hooknum != nil && *c.Hooknum == *nftables.ChainHookForward &&
		c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop &&
		(c.Table.Family == nftables.TableFamilyIPv4 || c.Table.Family == nftables.TableFamilyINet)
}

// mention tells that one of the rules compares something with the name.
func mention(rules []*nftables.Rule, name string) bool {
	for _, r := range rules {
		for _, e := range r.Exprs {
			if cmp, ok := e.(*expr.Cmp); ok && strings.HasPrefix(string(cmp.Data), name) {
				return true
			}
		}
	}
	return false
}

// uplink asks the kernel which way a packet to somewhere else would take.
func uplink(*place) (string, error) {
	elsewhere := net.IPv4(192, 0, 2, 1) // nobody's: TEST-NET-1, RFC 5737
	routes, err := netlink.RouteGet(elsewhere)
	if err != nil {
		return "", fmt.Errorf("route to %s: %w", elsewhere, err)
	}
	link, err := netlink.LinkByIndex(routes[0].LinkIndex)
	if err != nil {
		return "", fmt.Errorf("route to %s: %w", elsewhere, err)
	}
	text, _ := os.ReadFile(ipForward)
	found := link.Attrs().Name + ", ip_forward is " + strings.TrimSpace(string(text))
	return found, nil
}

// resolvers finds the name servers that a container can ask, as step 5 chooses them.
func resolvers(*place) (string, error) {
	const own, asked = "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"
	var lost []string
	for _, file := range []string{own, asked} {
		all, err := servers(file)
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return "", err
		}
		var reached []string
		for _, s := range all {
			if !s.IsLoopback() {
				reached = append(reached, s.String())
			} else if file == own {
				lost = append(lost, s.String())
			}
		}
		if len(reached) > 0 {
			return strings.Join(reached, ", ") + " (" + file + ")", nil
		}
	}
	if len(lost) > 0 {
		return "", fmt.Errorf("resolv.conf: %s is this machine's own, which no container reaches: %w",
			strings.Join(lost, ", "), unix.EHOSTUNREACH)
	}
	return "", fmt.Errorf("resolv.conf: names no server: %w", unix.ENOENT)
}

func servers(file string) (list []netip.Addr, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, errno(err))
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		if a, err := netip.ParseAddr(f[1]); err == nil {
			list = append(list, a)
		}
	}
	return list, nil
}

// tryWayOut lays one to an empty network namespace, and waits for its route.
func tryWayOut(*place) (string, error) {
	if container.Privileged() {
		return "root has the bridge", errUntried
	}
	pid, end, err := inner(nil, unix.CLONE_NEWNET)
	if err != nil {
		return "", err
	}
	defer end()
	argv, missing := container.WayOut(pid)
	if missing != "" {
		if what, cause, ok := strings.Cut(missing, ": "); ok && cause == unix.EACCES.Error() {
			return "", fmt.Errorf("way out: %s: %w", what, unix.EACCES)
		}
		return "", fmt.Errorf("way out: %s: %w", missing, unix.ENOENT)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("exec %s: %w", argv[0], errno(err))
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	// One line for each route, below a headline: a default one leads to 00000000.
	err = await(func() bool {
		routes, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/route", pid))
		return strings.Contains(string(routes), "\t00000000\t")
	})
	if err != nil {
		return "", fmt.Errorf("%s: no route: %w", argv[0], err)
	}
	return argv[0], nil
}
