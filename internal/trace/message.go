package trace

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/netlink"
	"github.com/containerkit/kit/internal/trace/syscalls"
)

// readRequest reads what th is about to send over netlink.
func (t *tracer) readRequest(th *thread) {
	c := &th.call
	if c.Changes&syscalls.Netlink == 0 {
		return
	}
	own := borrow(th, int(int32(c.frame.Args[0])))
	c.request = c.socket.reader(own).Read(c.datagram())
	if own >= 0 {
		unix.Close(own)
	}
}

// datagram is what a call sends, or has received.
func (c *call) datagram() []byte {
	const most = 256 << 10
	addr, length := c.frame.Args[1], c.frame.Args[2]
	if strings.HasSuffix(c.Name, "msg") {
		// struct msghdr: name, its length, iov, how many; struct iovec: address, length.
		header := c.words(c.frame.Args[1], 4)
		var data []byte
		for i := range min(header[3], 16) {
			v := c.words(header[2]+16*i, 2)
			part := make([]byte, min(v[1], most))
			data = append(data, part[:c.frame.Memory.Read(v[0], part)]...)
		}
		return c.received(data)
	}
	data := make([]byte, min(length, most))
	return c.received(data[:c.frame.Memory.Read(addr, data)])
}

// received is the part of a buffer that the kernel has filled.
func (c *call) received(data []byte) []byte {
	if c.Changes&syscalls.Answer != 0 {
		return data[:min(uint64(len(data)), uint64(max(c.frame.Return, 0)))]
	}
	return data
}

// words reads n 64-bit words; those that are not there are 0.
func (c *call) words(addr uint64, n int) []uint64 {
	buf := make([]byte, 8*n)
	c.frame.Memory.Read(addr, buf)
	out := make([]uint64, n)
	for i := range out {
		out[i] = nativeUint64(buf[8*i:])
	}
	return out
}

// changesNet tells a request that may change links, addresses or routes.
func (c *call) changesNet() bool {
	return c.socket != nil && c.socket.protocol == unix.NETLINK_ROUTE &&
		slices.ContainsFunc(c.request, func(m netlink.Message) bool { return !m.Get && !m.Answer })
}

// netlink tells in e what th has sent over netlink, or received.
func (t *tracer) netlink(th *thread, e *Event) {
	c := &th.call
	messages := c.request
	if c.Changes&syscalls.Answer != 0 {
		messages = c.socket.reader(-1).Read(c.datagram())
	}
	if len(messages) == 0 {
		return
	}
	lines := make([]string, len(messages))
	for i, m := range messages {
		lines[i] = m.String()
	}
	e.Decoded = append(e.Decoded, Decoded{Messages, lines})
	if len(e.Args) > 1 {
		e.Args[1].Text = brief(messages)
	}
	switch {
	case c.Changes&syscalls.Netlink != 0:
		t.sent(th, e)
	case c.frame.Args[len(c.params)-1]&unix.MSG_PEEK == 0:
		t.answered(th, e, messages)
	}
}

// brief counts messages by their names: {RTM_NEWLINK}.
func brief(messages []netlink.Message) string {
	var names []string
	for i := 0; i < len(messages); {
		n := 1
		for i+n < len(messages) && messages[i+n].Name == messages[i].Name {
			n++
		}
		name := messages[i].Name
		if messages[i].Answer {
			name = messages[i].String()
		}
		if n > 1 {
			name = fmt.Sprintf("%d × %s", n, name)
		}
		names = append(names, name)
		i += n
	}
	return "{" + strings.Join(names, ", ") + "}"
}

// sent looks at the answer that lies in the socket already: the kernel carries a
// request out, or refuses it, before the call returns. The tracee will still find
// it there. Of several answers, only the first can be seen.
func (t *tracer) sent(th *thread, e *Event) {
	c := &th.call
	c.socket.requests, c.socket.refused = nil, false
	for _, m := range c.request {
		c.socket.requests = append(c.socket.requests, request{Message: m})
	}
	own := borrow(th, int(int32(c.frame.Args[0])))
	if own < 0 {
		return
	}
	defer unix.Close(own)
	var buf [4096]byte
	n, _, err := unix.Recvfrom(own, buf[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	if err == nil {
		t.settle(th, e, c.socket.reader(own).Read(buf[:n]))
	}
}

// answered is an answer that the tracee has fetched. One that tells something new
// belongs to the lesson.
func (t *tracer) answered(th *thread, e *Event, messages []netlink.Message) {
	if !t.settle(th, e, messages) {
		return
	}
	e.Class, th.call.class = Lesson, Lesson
	if len(e.Args) == 0 {
		e.Args = th.call.decode(nil)
		e.Args[1].Text = brief(messages)
	}
}

// settle finds the requests to which there are answers. It returns true when it has
// found something to tell in e.
func (t *tracer) settle(th *thread, e *Event, answers []netlink.Message) (told bool) {
	s := th.call.socket
	for _, a := range answers {
		i := slices.IndexFunc(s.requests, func(r request) bool { return r.Seq == a.Seq })
		if !a.Answer || i < 0 || s.requests[i].answered {
			continue
		}
		s.requests[i].answered = true
		if a.Refused != 0 {
			s.refused, told = true, true
			e.Refused = unix.ErrnoName(a.Refused)
			e.Meaning = t.refusal(th, &s.requests[i].Message, a)
		}
	}
	if slices.ContainsFunc(s.requests, func(r request) bool { return r.Ack && !r.answered }) {
		return told
	}
	if !s.refused {
		for _, r := range s.requests {
			if r.Object != "" {
				e.Changes, told = append(e.Changes, object(r.Message)), true
			}
		}
	}
	s.requests = nil
	return told
}

// object is what a request of nftables that has been carried out has made or removed.
func object(m netlink.Message) Change {
	if m.Removes {
		return Change{What: m.Object, Before: m.Content}
	}
	return Change{What: m.Object, After: m.Content}
}
