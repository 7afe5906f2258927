package oracle

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/state"
)

// address is the one that bind(2), connect(2) or sendto(2) has been given.
func (c *Call) address() (a netip.AddrPort, file string) {
	at, size := "addr", "addrlen"
	if c.index(at) < 0 {
		at = "dest_addr"
	}
	buf := make([]byte, min(c.arg(size), 128))
	buf = buf[:c.Frame.Memory.Read(c.arg(at), buf)]
	if len(buf) < 3 {
		return a, ""
	}
	port := binary.BigEndian.Uint16(buf[2:])
	switch family := binary.NativeEndian.Uint16(buf); {
	case family == unix.AF_UNIX:
		return a, unix.ByteSliceToString(buf[2:])
	case family == unix.AF_INET && len(buf) >= 8:
		ip, _ := netip.AddrFromSlice(buf[4:8])
		return netip.AddrPortFrom(ip, port), ""
	case family == unix.AF_INET6 && len(buf) >= 24:
		ip, _ := netip.AddrFromSlice(buf[8:24])
		return netip.AddrPortFrom(ip, port), ""
	}
	return a, ""
}

// lowPort tells a port that is kept for root.
func lowPort(c *Call) string {
	a, _ := c.address()
	first, err := strconv.Atoi(sysctl("net/ipv4/ip_unprivileged_port_start"))
	if err != nil {
		first = 1024
	}
	if !a.IsValid() || int(a.Port()) >= first || a.Port() == 0 {
		return ""
	}
	lack := c.lacks("CAP_NET_BIND_SERVICE", "net")
	if lack == "" {
		return ""
	}
	return fmt.Sprintf("port %d is below %d (net.ipv4.ip_unprivileged_port_start): %s",
		a.Port(), first, lack)
}

// portTaken tells who has a port.
func portTaken(c *Call) string {
	a, file := c.address()
	if file != "" {
		if p := c.look(unix.AT_FDCWD, file, false); p.err == 0 {
			return p.path + " is there already: " + p.kind()
		}
	}
	if !a.IsValid() {
		return ""
	}
	for _, protocol := range []string{"tcp", "tcp6", "udp", "udp6"} {
		local, inode := c.holder(protocol, a)
		if inode == "" {
			continue
		}
		return fmt.Sprintf("%s %s is taken by %s", strings.TrimSuffix(protocol, "6"), local, owner(inode))
	}
	return ""
}

// holder finds the socket that has an address, in the thread's network namespace.
func (c *Call) holder(protocol string, a netip.AddrPort) (local netip.AddrPort, inode string) {
	const listening, connected = "0A", "01"
	lines := bufio.NewScanner(strings.NewReader(string(state.Read(c.TID, "net/"+protocol))))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 10 || strings.HasPrefix(protocol, "tcp") && f[3] != listening {
			continue
		}
		local := hexAddress(f[1])
		if local.Port() == a.Port() && (local.Addr() == a.Addr() || local.Addr().IsUnspecified() ||
			a.Addr().IsUnspecified()) && !strings.HasPrefix(f[3], connected) {
			return local, f[9]
		}
	}
	return netip.AddrPort{}, ""
}

// hexAddress reads 0100007F:1F90.
func hexAddress(s string) netip.AddrPort {
	host, port, _ := strings.Cut(s, ":")
	n, _ := strconv.ParseUint(port, 16, 16)
	var ip []byte
	for ; len(host) >= 8; host = host[8:] {
		w, _ := strconv.ParseUint(host[:8], 16, 32)
		ip = binary.NativeEndian.AppendUint32(ip, uint32(w))
	}
	addr, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(addr.Unmap(), uint16(n))
}

// owner is the process that has a socket open.
func owner(inode string) string {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		fds, _ := os.ReadDir("/proc/" + e.Name() + "/fd")
		for _, fd := range fds {
			link, _ := os.Readlink("/proc/" + e.Name() + "/fd/" + fd.Name())
			if link == "socket:["+inode+"]" {
				return "process " + e.Name() + " (" + read("/proc/"+e.Name()+"/comm") + ")"
			}
		}
	}
	return "a socket of a process that we cannot see (inode " + inode + ")"
}

// notLocal tells an address that no link has.
func notLocal(c *Call) string {
	a, _ := c.address()
	if !a.IsValid() {
		return ""
	}
	return a.Addr().String() + " is no address of a link in " + c.namespace("net")
}

// noRoute tells an address to which there is none.
func noRoute(c *Call) string {
	a, _ := c.address()
	if !a.IsValid() {
		return ""
	}
	return "no route in " + c.namespace("net") + " leads to " + a.Addr().String()
}

// nobodyListens tells a port on which nobody does.
func nobodyListens(c *Call) string {
	a, file := c.address()
	switch {
	case file != "":
		return "nobody listens at " + strconv.Quote(file)
	case a.IsValid():
		return "nobody listens at " + net.JoinHostPort(a.Addr().String(), strconv.Itoa(int(a.Port())))
	}
	return ""
}

// socketFile follows the path of a socket in the file system.
func socketFile(c *Call) string {
	_, file := c.address()
	if file == "" || file[0] == 0 {
		return ""
	}
	switch p := c.look(unix.AT_FDCWD, file, true); p.err {
	case unix.ENOENT:
		return "there is no " + p.path + p.way()
	case unix.EACCES:
		return p.path + " may not be searched: " + c.bits(&p.stat)
	}
	return ""
}

// rawSocket tells a socket for which a capability is needed (packet(7), raw(7)).
func rawSocket(c *Call) string {
	kind := c.arg("type") & 0xf
	if c.Name == "socket" && (kind == unix.SOCK_RAW && c.arg("domain") != unix.AF_NETLINK ||
		c.arg("domain") == unix.AF_PACKET) {
		return c.lacks("CAP_NET_RAW", "net")
	}
	return ""
}

// noProtocol tells what the kernel has not been built with.
func noProtocol(c *Call) string {
	if c.Name != "socket" {
		return ""
	}
	return "the kernel does not have it, as a module either: " + c.params[0].Text(c.Frame, 0) + ", " +
		c.params[2].Text(c.Frame, 2)
}
