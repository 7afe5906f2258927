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
		ownNamespace(5, "net", 2),
		{
			5, "loopback", "a loopback interface that is up", 1, (*process).checkLoopback,
			"Does ping 127.0.0.1 work in there?",
			"A new network namespace has a loopback interface, which is down; 127.0.0.1 is assigned " +
				"as it comes up (network_namespaces(7), rtnetlink(7)).",
		},
		{
			5, "address", "an address on an interface that leads out", 2, (*process).checkAddress,
			"What does ip addr show in there? nsenter -t {pid} -n ip addr",
			"An interface carries packets of IP when it is up and has an address, with the length of " +
				"the prefix that is reached directly: RTM_NEWADDR, rtnetlink(7), ip-address(8).",
		},
		{
			5, "route", "a default route", 2, (*process).checkRoute,
			"Where does a packet to 192.0.2.1 go? nsenter -t {pid} -n ip route get 192.0.2.1",
			"What no route covers is refused with ENETUNREACH. The default route (0.0.0.0/0) names a " +
				"gateway that is reached directly: RTM_NEWROUTE, rtnetlink(7), ip-route(8).",
		},
		{
			5, "pair", "a veth pair, its other end on a bridge outside", 3, (*process).checkPair,
			"Which interface outside gets what eth0 sends? ip -d link show, inside and outside",
			"What goes into one end of a veth pair comes out of the other, in whichever network " +
				"namespace that is (veth(4)). On a bridge it is a port of a switch (ip-link(8)).",
		},
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

// networked is the verdict of judge on its network, or that it has none of its own.
func (p *process) networked(judge func(n *network) verdict, call string) verdict {
	if v, ok := p.readable("net"); !ok {
		return v
	}
	if !p.own("net") {
		return no("its network is yours", call).unless("a network namespace of its own")
	}
	n := p.network()
	if n.err != nil {
		return unknown(n.err)
	}
	return judge(n)
}

func (p *process) checkLoopback() verdict {
	const call = "ip link set lo up (RTM_NEWLINK with IFF_UP)"
	return p.networked(func(n *network) verdict {
		for _, l := range n.own.Links {
			switch {
			case l.Kind != "loopback":
			case l.Up:
				return yes("%s %s", l.Name, strings.Join(l.Addresses, " "))
			default:
				return no(l.Name+" is down", fmt.Sprintf("Interface %d of %s, %s, is down: %s.",
					l.Index, p.link("net"), l.Name, call))
			}
		}
		return hidden("it has no loopback interface")
	}, "In the new namespace: "+call+".")
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
	const call = "ip addr add 10.0.0.2/24 dev eth0, ip link set eth0 up."
	return p.networked(func(n *network) verdict {
		links := n.outward()
		for _, l := range links {
			for _, a := range l.Addresses {
				prefix, err := netip.ParsePrefix(a)
				if err == nil && l.Up && prefix.Addr().IsGlobalUnicast() {
					return yes("%s on %s", a, l.Name)
				}
			}
		}
		return no("none: "+names(links),
			fmt.Sprintf("In %s there is %s: %s", p.link("net"), names(links), call))
	}, "In the new namespace: "+call)
}

func (p *process) checkRoute() verdict {
	const call = "ip route add default via 10.0.0.1, the address of the bridge outside."
	return p.networked(func(n *network) verdict {
		for _, r := range n.own.Routes {
			if strings.HasPrefix(r, "default ") {
				return yes("%s", r)
			}
		}
		got := "none"
		if len(n.own.Routes) > 0 {
			got = "none, but " + strings.Join(n.own.Routes, ", ")
		}
		return no(got, fmt.Sprintf("Routes in %s: %s: %s", p.link("net"), got, call))
	}, "In the new namespace: "+call)
}

func (p *process) checkPair() verdict {
	call := fmt.Sprintf("On the host: ip link add ve0 type veth peer name eth0 netns %d, then "+
		"ip link set ve0 master br0 up.", p.pid)
	return p.networked(func(n *network) verdict {
		for _, l := range n.outward() {
			if l.Kind == "veth" {
				return p.judgePair(n, l)
			}
		}
		return no("no veth: "+names(n.outward()), call)
	}, call)
}

// judgePair judges by where the other end of a veth is.
func (p *process) judgePair(n *network, l scene.Link) verdict {
	other, bridge := n.otherEnd(l)
	switch {
	case n.holds(l):
		return no(fmt.Sprintf("both ends of %s are in it", l.Name),
			fmt.Sprintf("Interface %d, the peer of %s, is to be outside: ip link set it netns 1, there.",
				l.Peer, l.Name))
	case other == nil:
		return no(fmt.Sprintf("the other end of %s, interface %d, is in no namespace that you can see",
			l.Name, l.Peer), fmt.Sprintf("Interface %d, the peer of %s, is to be on the host: make the "+
			"pair there, ip link add ve0 type veth peer name eth0 netns %d.", l.Peer, l.Name, p.pid))
	case bridge == nil:
		return no(fmt.Sprintf("the other end of %s is %s, on no bridge", l.Name, other.Name),
			fmt.Sprintf("%s has no master: ip link add br0 type bridge, ip link set br0 up, ip link "+
				"set %[1]s master br0.", other.Name))
	case !other.Up || !bridge.Up || !l.Up:
		return no(fmt.Sprintf("%s, %s, %s: not all of them are up", l.Name, other.Name, bridge.Name),
			fmt.Sprintf("ip link set %s up, the same for %s and, in %s, for %s.",
				other.Name, bridge.Name, p.link("net"), l.Name))
	}
	return yes("%s is a pair with %s, a port of bridge %s", l.Name, other.Name, bridge.Name)
}

// holds tells that both ends of a pair are in the process's network.
func (n *network) holds(l scene.Link) bool {
	return slices.ContainsFunc(n.own.Links, func(o scene.Link) bool {
		return o.Index == l.Peer && o.Peer == l.Index
	})
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
