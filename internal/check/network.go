package check

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/trace/scene"
)

// networkExercises are those of step 5: a network.
func networkExercises() []exercise {
	return []exercise{
		{5, "net", "a network namespace of its own", 2, ownNamespace("net")},
		{5, "loopback", "a loopback interface that is up", 1, (*process).checkLoopback},
		{5, "address", "an address on an interface that leads out", 2, (*process).checkAddress},
		{5, "route", "a default route", 2, (*process).checkRoute},
		{5, "pair", "a veth pair, its other end on a bridge outside", 3, (*process).checkPair},
	}
}

// A network is that of the process, and the others that can be seen.
type network struct {
	own    *scene.Network
	others []scene.Network // the checker's first
	err    error
}

// network asks the kernel, once, by sockets in the namespaces (rtnetlink(7)).
func (p *process) network() *network {
	if p.net != nil {
		return p.net
	}
	p.net = &network{}
	subjects := []scene.Subject{{Pid: os.Getpid()}, {Pid: p.pid}}
	for _, pid := range p.netNeighbours() {
		subjects = append(subjects, scene.Subject{Pid: pid})
	}
	s := scene.Take(scene.Run, subjects)
	for i, n := range s.Networks {
		if n.Namespace == p.link("net") {
			p.net.own = &s.Networks[i]
		} else {
			p.net.others = append(p.net.others, n)
		}
	}
	if p.net.own == nil {
		p.net.err = fmt.Errorf("its network cannot be looked at: %s",
			strings.Join(s.Errors, "; "))
	}
	return p.net
}

// netNeighbours are processes in other network namespaces, one for each: those that the
// process descends from come first. A user's bridge is in none of root's.
func (p *process) netNeighbours() (list []int) {
	const enough = 32
	own, _ := os.Readlink("/proc/self/ns/net")
	seen := map[string]bool{own: true, p.link("net"): true}
	candidates := append(ancestors(p.pid), processes()...)
	for _, pid := range candidates {
		link, err := os.Readlink(procfs.Path(pid, "ns/net"))
		if err != nil || seen[link] || len(list) == enough {
			continue
		}
		seen[link] = true
		list = append(list, pid)
	}
	return list
}

// ancestors are those that a process descends from, its parent first.
func ancestors(pid int) (list []int) {
	for {
		s, err := procfs.ReadStatus(pid)
		if err != nil || s.PPid == 0 {
			return list
		}
		pid = s.PPid
		list = append(list, pid)
	}
}

// noNetwork is the verdict where there is nothing of its own to look at.
func (p *process) noNetwork() (v verdict, missing bool) {
	if v, ok := p.readable("net"); !ok {
		return v, true
	}
	if !p.own("net") {
		return after("its network is yours", "a network namespace of its own"), true
	}
	if err := p.network().err; err != nil {
		return unknown(err), true
	}
	return verdict{}, false
}

func (p *process) checkLoopback() verdict {
	if v, missing := p.noNetwork(); missing {
		return v
	}
	for _, l := range p.network().own.Links {
		if l.Kind != "loopback" {
			continue
		}
		if l.Up {
			return yes("%s %s", l.Name, strings.Join(l.Addresses, " "))
		}
		return no(l.Name+" is down",
			"Does ping 127.0.0.1 work in there?",
			"A new network namespace has a loopback interface, which is down; 127.0.0.1 is assigned "+
				"as it comes up (network_namespaces(7), rtnetlink(7)).",
			fmt.Sprintf("Interface %d, %s, is down: ip link set %[2]s up (RTM_NEWLINK with IFF_UP) in "+
				"%[3]s.", l.Index, l.Name, p.link("net")))
	}
	return hidden("it has no loopback interface")
}

// outward are the interfaces that are none of the loopback.
func (n *network) outward() []scene.Link {
	return slices.DeleteFunc(slices.Clone(n.own.Links), func(l scene.Link) bool {
		return l.Kind == "loopback"
	})
}

// names lists interfaces with their states.
func names(links []scene.Link) string {
	if len(links) == 0 {
		return "nothing but the loopback interface"
	}
	var list []string
	for _, l := range links {
		state := "down"
		if l.Up {
			state = "up"
		}
		list = append(list, fmt.Sprintf("%s (%s, %s)", l.Name, l.Kind, state))
	}
	return strings.Join(list, ", ")
}

func (p *process) checkAddress() verdict {
	if v, missing := p.noNetwork(); missing {
		return v
	}
	links := p.network().outward()
	for _, l := range links {
		for _, a := range l.Addresses {
			prefix, err := netip.ParsePrefix(a)
			if err == nil && l.Up && prefix.Addr().IsGlobalUnicast() {
				return yes("%s on %s", a, l.Name)
			}
		}
	}
	return no("none: "+names(links),
		fmt.Sprintf("What does ip addr show in there? nsenter -t %d -n ip addr", p.pid),
		"An interface carries packets of IP when it is up and has an address, with the length of "+
			"the prefix that is reached directly: RTM_NEWADDR, rtnetlink(7), ip-address(8).",
		fmt.Sprintf("In %s there is %s: ip addr add 10.0.0.2/24 dev eth0, ip link set eth0 up.",
			p.link("net"), names(links)))
}

func (p *process) checkRoute() verdict {
	if v, missing := p.noNetwork(); missing {
		return v
	}
	routes := p.network().own.Routes
	for _, r := range routes {
		if strings.HasPrefix(r, "default ") {
			return yes("%s", r)
		}
	}
	got := "none"
	if len(routes) > 0 {
		got = "none, but " + strings.Join(routes, ", ")
	}
	return no(got,
		fmt.Sprintf("Where does a packet to 192.0.2.1 go? nsenter -t %d -n ip route get 192.0.2.1",
			p.pid),
		"What no route covers is refused with ENETUNREACH. The default route (0.0.0.0/0) names a "+
			"gateway that is reached directly: RTM_NEWROUTE, ip-route(8).",
		fmt.Sprintf("In %s: ip route add default via 10.0.0.1, the address of the bridge outside.",
			p.link("net")))
}

func (p *process) checkPair() verdict {
	if v, missing := p.noNetwork(); missing {
		return v
	}
	const question = "Which interface outside gets what eth0 sends? ip -d link show, inside and outside"
	const mechanism = "What goes into one end of a veth pair comes out of the other, in whichever " +
		"network namespace that is (veth(4)). On a bridge it is a port of a switch (ip-link(8))."
	n := p.network()
	got, call := names(n.outward())+": no veth", fmt.Sprintf("In %s is %s: ip link add eth0 netns %d "+
		"type veth peer name ve0, then ip link set ve0 master br0 up.",
		p.link("net"), names(n.outward()), p.pid)
	for _, l := range n.outward() {
		if l.Kind != "veth" {
			continue
		}
		other, bridge := n.otherEnd(l)
		switch {
		case other == nil:
			got = fmt.Sprintf("the other end of %s (interface %d) is in no namespace that you can see",
				l.Name, l.Peer)
			call = fmt.Sprintf("Interface %d, the peer of %s, is to be outside: ip link add %[2]s netns "+
				"%[3]d type veth peer name ve0, on the host.", l.Peer, l.Name, p.pid)
		case bridge == nil:
			got = fmt.Sprintf("the other end of %s is %s, on no bridge", l.Name, other.Name)
			call = fmt.Sprintf("%s has no master: ip link add br0 type bridge, ip link set %[1]s "+
				"master br0.", other.Name)
		case !other.Up || !bridge.Up || !l.Up:
			got = fmt.Sprintf("%s, %s and %s: not all of them are up", l.Name, other.Name, bridge.Name)
			call = fmt.Sprintf("ip link set %s up, and the same for %s and, in %s, %s.",
				other.Name, bridge.Name, p.link("net"), l.Name)
		default:
			return yes("%s is a pair with %s, a port of bridge %s", l.Name, other.Name, bridge.Name)
		}
	}
	return no(got, question, mechanism, call)
}

// otherEnd finds the other end of a veth pair, and the bridge that it is on. Each end names
// the other's index.
func (n *network) otherEnd(l scene.Link) (other, bridge *scene.Link) {
	for i := range n.others {
		links := n.others[i].Links
		at := slices.IndexFunc(links, func(o scene.Link) bool {
			return o.Index == l.Peer && o.Peer == l.Index && o.Kind == "veth"
		})
		if at < 0 {
			continue
		}
		other = &links[at]
		master := slices.IndexFunc(links, func(o scene.Link) bool {
			return o.Name == other.Master && o.Kind == "bridge"
		})
		if master >= 0 {
			bridge = &links[master]
		}
		return other, bridge
	}
	return nil, nil
}
