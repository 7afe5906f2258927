package trace

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/netlink"
	"github.com/containerkit/kit/internal/trace/state"
)

// A socket is one over which a tracee speaks with the kernel: netlink(7).
type socket struct {
	protocol int
	requests []request // what was sent last
	refused  bool      // one of them, and so all that was sent with it
}

// A request is a message to the kernel.
type request struct {
	netlink.Message
	answered bool
}

// String names it in an argument.
func (s *socket) String() string {
	if s.protocol == unix.NETLINK_NETFILTER {
		return "netlink netfilter"
	}
	return "netlink route"
}

// socketOf returns the socket behind a descriptor of th, nil for one that is not of
// netlink, or of a protocol of it that is not for networks.
func (t *tracer) socketOf(th *thread, fd int) *socket {
	var buf [64]byte
	n, err := unix.Readlink(state.Proc(th.tid, "fd/"+strconv.Itoa(fd)), buf[:])
	link := string(buf[:max(n, 0)])
	if err != nil || !strings.HasPrefix(link, "socket:") {
		return nil
	}
	s, ok := t.sockets[link]
	if !ok {
		s = newSocket(th, fd)
		t.sockets[link] = s
	}
	return s
}

// newSocket asks the socket itself what it is.
func newSocket(th *thread, fd int) *socket {
	own := borrow(th, fd)
	if own < 0 {
		return nil
	}
	defer unix.Close(own)
	domain, err := unix.GetsockoptInt(own, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil || domain != unix.AF_NETLINK {
		return nil
	}
	protocol, err := unix.GetsockoptInt(own, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	if err != nil || protocol != unix.NETLINK_ROUTE && protocol != unix.NETLINK_NETFILTER {
		return nil
	}
	return &socket{protocol: protocol}
}

// borrow opens a stopped thread's open file a second time, here (pidfd_getfd(2)): it
// is to be closed before the thread goes on. -1 where that is not to be had.
func borrow(th *thread, fd int) int {
	pidfd, err := unix.PidfdOpen(th.proc.pid, 0)
	if err != nil {
		return -1
	}
	defer unix.Close(pidfd)
	own, err := unix.PidfdGetfd(pidfd, fd, 0)
	if err != nil {
		return -1
	}
	return own
}

// reader reads the messages on a socket; own is that socket here, or -1.
func (s *socket) reader(own int) *netlink.Reader {
	return &netlink.Reader{Protocol: s.protocol, Link: func(index int) string {
		return linkName(own, index)
	}}
}

// linkName asks a socket for a link's name by its index (SIOCGIFNAME in netdevice(7)).
func linkName(own, index int) string {
	request, err := unix.NewIfreq("?")
	if err != nil || own < 0 {
		return ""
	}
	request.SetUint32(uint32(index))
	if unix.IoctlIfreq(own, unix.SIOCGIFNAME, request) != nil {
		return ""
	}
	return request.Name()
}

// A netState is a network namespace, before or after a request.
type netState struct {
	link string // net:[4026531840]
	net  state.Net
}

// netsOf reads the network namespaces that a request changes: the socket's, which is
// mostly but not always its thread's; and the one that a link moves into.
func (t *tracer) netsOf(th *thread) []netState {
	own := borrow(th, int(int32(th.call.frame.Args[0])))
	if own >= 0 {
		defer unix.Close(own)
	}
	link := ""
	if own >= 0 {
		link = state.NetOfSocket(own)
	}
	if link == "" {
		link = state.NetOf(th.tid)
	}
	var nets []netState
	if tid := t.memberOf(th, link); tid != 0 {
		nets = append(nets, netState{link, state.ReadNet(tid, own)})
	}
	for _, m := range th.call.request {
		tid := m.MovesToPID
		if m.MovesToFD >= 0 {
			tid = t.memberOf(th, th.call.frame.Memory.Path(m.MovesToFD))
		}
		if tid != 0 {
			nets = append(nets, netState{state.NetOf(tid), state.ReadNet(tid, -1)})
		}
	}
	return nets
}

// memberOf finds a thread in a network namespace, th if it is; 0 for none.
func (t *tracer) memberOf(th *thread, link string) int {
	if state.NetOf(th.tid) == link {
		return th.tid
	}
	for tid := range t.threads {
		if state.NetOf(tid) == link {
			return tid
		}
	}
	return 0
}

// netChanges compares them. A namespace that is not the caller's own is named.
func netChanges(tid int, before, after []netState) []state.Change {
	var list []state.Change
	for i := range min(len(before), len(after)) {
		where := ""
		if link := after[i].link; link != state.NetOf(tid) {
			where = " in " + link
		}
		list = append(list, before[i].net.Diff(&after[i].net, where)...)
	}
	return list
}
