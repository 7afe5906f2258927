package state

import (
	"encoding/hex"
	"maps"
	"net/netip"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Net is what there is in a network namespace: its links, up or down, and what is
// said about each: addresses, and routes.
type Net struct {
	links map[string]string // by name: up, down; "there" where that cannot be asked
	facts []Change          // Before is empty
}

// ReadNet reads that of the thread tid, from /proc/TID/net, which tells it without
// a way into the namespace. What it does not tell, is asked of a socket there, if
// there is one: its descriptor in this process, or -1 (netdevice(7)).
func ReadNet(tid, socket int) Net {
	n := Net{links: map[string]string{}}
	for line := range strings.Lines(string(Read(tid, "net/dev"))) {
		if name, _, ok := strings.Cut(line, ":"); ok {
			name = strings.TrimSpace(name)
			n.links[name] = linkState(socket, name)
		}
	}
	n.addAddresses(socket)
	n.addAddresses6(Read(tid, "net/if_inet6"))
	n.addRoutes(Read(tid, "net/route"))
	return n
}

// linkState is whether a link is up, and where it is, whether there is somebody at
// its other end.
func linkState(socket int, name string) string {
	request, err := unix.NewIfreq(name)
	if err != nil || socket < 0 || unix.IoctlIfreq(socket, unix.SIOCGIFFLAGS, request) != nil {
		return "there"
	}
	switch flags := request.Uint16(); {
	case flags&unix.IFF_UP == 0:
		return "down"
	case flags&unix.IFF_RUNNING == 0:
		return "up, no carrier"
	}
	return "up"
}

// addAddresses asks for the IPv4 addresses (SIOCGIFCONF).
func (n *Net) addAddresses(socket int) {
	if socket < 0 {
		return
	}
	const size = 40 // struct ifreq
	var buf [128 * size]byte
	conf := struct {
		length int32
		_      int32
		buf    *byte
	}{length: int32(len(buf)), buf: &buf[0]}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), unix.SIOCGIFCONF,
		uintptr(unsafe.Pointer(&conf)))
	if errno != 0 {
		return
	}
	for entry := range slices.Chunk(buf[:conf.length/size*size], size) {
		const address = 16 + 4 // behind the name, in struct sockaddr_in
		ip, _ := netip.AddrFromSlice(entry[address : address+4])
		n.add("address of "+unix.ByteSliceToString(entry[:16]), ip.String())
	}
}

// addAddresses6 reads /proc/net/if_inet6: address, index, prefix, scope, flags, name.
func (n *Net) addAddresses6(text []byte) {
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 6 {
			continue
		}
		raw, _ := hex.DecodeString(f[0])
		bits, _ := strconv.ParseUint(f[2], 16, 8)
		if ip, ok := netip.AddrFromSlice(raw); ok {
			n.add("address of "+f[5], netip.PrefixFrom(ip, int(bits)).String())
		}
	}
}

// addRoutes reads /proc/net/route: interface, destination, gateway, …, mask, in
// hexadecimal, the numbers in the machine's byte order.
func (n *Net) addRoutes(text []byte) {
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 8 || f[0] == "Iface" {
			continue
		}
		to, via, mask := hexIP(f[1]), hexIP(f[2]), hexIP(f[7])
		what, words := "default route", ""
		if ones := onesOf(mask); ones > 0 {
			what = "route to " + netip.PrefixFrom(to, ones).String()
		}
		if !via.IsUnspecified() {
			words = "via " + via.String() + " "
		}
		n.add(what, words+"dev "+f[0])
	}
}

func hexIP(text string) netip.Addr {
	v, _ := strconv.ParseUint(text, 16, 32)
	return netip.AddrFrom4([4]byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)})
}

func onesOf(mask netip.Addr) int {
	ones := 0
	for _, b := range mask.As4() {
		for ; b != 0; b <<= 1 {
			ones++
		}
	}
	return ones
}

func (n *Net) add(what, value string) {
	n.facts = append(n.facts, Change{What: what, After: value})
}

// Diff tells which links, addresses and routes came, went or changed. Where is the
// namespace, if it must be told.
func (n *Net) Diff(after *Net, where string) []Change {
	var changes []Change
	for _, name := range slices.Sorted(maps.Keys(n.links)) {
		if now := after.links[name]; now != n.links[name] {
			changes = append(changes, Change{"link " + name + where, n.links[name], now, ""})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after.links)) {
		if _, known := n.links[name]; !known {
			changes = append(changes, Change{"link " + name + where, "", after.links[name], ""})
		}
	}
	for _, f := range n.facts {
		if !slices.Contains(after.facts, f) {
			changes = append(changes, Change{What: f.What + where, Before: f.After})
		}
	}
	for _, f := range after.facts {
		if !slices.Contains(n.facts, f) {
			changes = append(changes, Change{What: f.What + where, After: f.After})
		}
	}
	return changes
}

// NetOf is the network namespace of a thread: net:[4026531840].
func NetOf(tid int) string {
	link, _ := os.Readlink(Proc(tid, "ns/net"))
	return link
}

// NetOfSocket is that of a socket of ours (SIOCGSKNS), "" where that may not be known.
func NetOfSocket(socket int) string {
	fd, err := unix.IoctlRetInt(socket, unix.SIOCGSKNS)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	link, _ := os.Readlink(path.Join("/proc/self/fd", strconv.Itoa(fd)))
	return link
}
