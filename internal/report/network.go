package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/containerkit/kit/internal/trace/scene"
)

const leadNetwork = "Each network namespace with its interfaces, their addresses, and its " +
	"routes. A line joins the two ends of a veth pair, and a bridge with its ports."

// The size of a network's box and of an interface's in it, in pixels.
const (
	netWidth  = 430
	netGap    = 110
	linkWidth = 390
)

// drawNetworks draws the namespaces side by side, the first one at the left.
func drawNetworks(all []*scene.Scene, at int) *figure {
	s := all[at]
	if len(s.Networks) == 0 {
		return nil
	}
	d := &drawing{}
	ends := map[string]int{} // "net:[1] 5" -> y of that interface
	said := make([]string, 0, len(s.Networks))
	t := table{{"interface", "kind", "state", "addresses", "MAC", "MTU", "bridge", "other end"}}
	var lists markup
	for i, n := range s.Networks {
		who := strings.Join(inside(s, "net", n.Namespace), ", ")
		d.network(i*(netWidth+netGap), n, who, ends)
		said = append(said, fmt.Sprintf("%s (%s) has %s: %s.", n.Namespace, who,
			count(len(n.Links), "interface", "interfaces"), linkNames(n.Links)))
		t = append(t, []string{n.Namespace + " of " + who})
		for _, l := range n.Links {
			t = append(t, linkCells(s, n, l))
		}
		lists += routesAndRules(n)
	}
	for i := range s.Networks {
		d.pairs(s, i, ends)
	}
	return &figure{
		title: "Networks", text: strings.Join(said, " "), drawing: d, table: t.markup() + lists,
	}
}

func linkNames(links []scene.Link) string {
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = strings.Join(append([]string{l.Name}, l.Addresses...), " ")
	}
	return strings.Join(names, ", ")
}

func linkCells(s *scene.Scene, n scene.Network, l scene.Link) []string {
	end := ""
	if l.Peer != 0 {
		end = peerName(s, n, l)
	}
	return []string{
		l.Name, l.Kind, state(l), strings.Join(l.Addresses, ", "), l.MAC, strconv.Itoa(l.MTU),
		l.Master, end,
	}
}

// peerName is what the other end of a veth is called, where it is known.
func peerName(s *scene.Scene, n scene.Network, l scene.Link) string {
	where := peerNamespace(n, l)
	for _, other := range s.Networks {
		for _, o := range other.Links {
			if other.Namespace == where && o.Index == l.Peer {
				return o.Name + " in " + where
			}
		}
	}
	return fmt.Sprintf("interface %d in %s", l.Peer, where)
}

func peerNamespace(n scene.Network, l scene.Link) string {
	if l.PeerNamespace == "" {
		return n.Namespace
	}
	return l.PeerNamespace
}

func state(l scene.Link) string {
	if l.Up {
		return "up"
	}
	return "down"
}

func routesAndRules(n scene.Network) (m markup) {
	var w writer
	if len(n.Routes) > 0 {
		w.put("<h4>Routes of %s</h4>%s", n.Namespace, list(n.Routes))
	}
	if len(n.Rules) > 0 {
		w.put("<h4>Rules of %s (nftables)</h4>%s", n.Namespace, list(n.Rules))
	}
	return w.markup()
}

// network draws one namespace: the interfaces, then the routes and rules.
func (d *drawing) network(x int, n scene.Network, who string, ends map[string]int) {
	start := d.Len()
	y := 64
	bridges := map[string]int{}
	ordered := bridgesFirst(n.Links)
	for _, l := range ordered {
		in := 0
		if l.Master != "" {
			in = 26
		}
		high := 30 + 16*max(len(l.Addresses), 0)
		if up, ok := bridges[l.Master]; ok && l.Master != "" {
			d.path("wire", "M%d %dV%dH%d", x+34, up, y+high/2, x+20+in)
		}
		d.link(x+20+in, y, linkWidth-in, high, l)
		ends[fmt.Sprintf("%s %d", n.Namespace, l.Index)] = y + high/2
		if l.Kind == "bridge" {
			bridges[l.Name] = y + high
		}
		y += high + 12
	}
	y = d.lines(x+20, y+6, "routes", n.Routes)
	y = d.lines(x+20, y, "nftables", n.Rules)
	content := d.String()[start:]
	head := d.String()[:start]
	d.Reset()
	d.WriteString(head)
	d.box(x, 0, netWidth, y+4, "net")
	d.text(x+16, 24, "name", cut(who, 52))
	d.text(x+16, 42, "mono", n.Namespace)
	d.WriteString(content)
}

// bridgesFirst puts the ports of a bridge below it.
func bridgesFirst(links []scene.Link) (ordered []scene.Link) {
	for _, l := range links {
		if l.Master != "" && has(links, l.Master) {
			continue
		}
		ordered = append(ordered, l)
		for _, port := range links {
			if port.Master == l.Name && l.Name != "" && port.Name != l.Name {
				ordered = append(ordered, port)
			}
		}
	}
	return ordered
}

func has(links []scene.Link, name string) bool {
	for _, l := range links {
		if l.Name == name {
			return true
		}
	}
	return false
}

func (d *drawing) link(x, y, w, high int, l scene.Link) {
	style := "card link"
	if !l.Up {
		style += " down"
	}
	d.box(x, y, w, high, style)
	d.text(x+10, y+19, "name", cut(l.Name, 16))
	kind := l.Kind
	if !l.Up {
		kind += ", down"
	}
	d.text(x+130, y+19, "dim", kind)
	for i, a := range l.Addresses {
		d.text(x+10, y+36+16*i, "mono", cut(a, 42))
	}
}

// lines writes a list below its name, and returns where it ends.
func (d *drawing) lines(x, y int, name string, lines []string) int {
	if len(lines) == 0 {
		return y
	}
	d.text(x, y+14, "head", name)
	y += 22
	for _, l := range lines {
		for i, part := range fold(l, 52) {
			d.text(x+12*min(i, 1), y+12, "mono", part)
			y += 17
		}
	}
	return y + 8
}

// fold breaks a line at its spaces into parts of n characters at most.
func fold(s string, n int) (parts []string) {
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > n {
			parts = append(parts, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line = cut(line+word, n)
	}
	return append(parts, line)
}

// pairs joins the ends of veth pairs, each once: from the namespace further left.
func (d *drawing) pairs(s *scene.Scene, from int, ends map[string]int) {
	n := s.Networks[from]
	for _, l := range n.Links {
		for to, other := range s.Networks {
			if l.Peer == 0 || to <= from || other.Namespace != peerNamespace(n, l) {
				continue
			}
			y1, here := ends[fmt.Sprintf("%s %d", n.Namespace, l.Index)]
			y2, there := ends[fmt.Sprintf("%s %d", other.Namespace, l.Peer)]
			if !here || !there {
				continue
			}
			x1, x2 := from*(netWidth+netGap)+20+linkWidth, to*(netWidth+netGap)+20
			mid := from*(netWidth+netGap) + netWidth + netGap/2
			d.path("wire", "M%d %dC%d %d %d %d %d %d", x1, y1, mid, y1, mid, y2, x2, y2)
			d.text(mid-26, min(y1, y2)-8, "dim", "veth pair")
		}
	}
}
