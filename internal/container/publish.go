package container

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Published ports without root. The host's ports are outside of the outer network
// namespace, where no packet gets by itself. But a socket stays in the network
// namespace in which it was made, whoever holds it: step 0 opens one on the host
// for each port, and the parent, inside, carries what comes through it to the
// container.

// udpIdle is how long a client of a UDP port may be silent before it is forgotten.
const udpIdle = time.Minute

// retry is how long to wait when no connection can be accepted at the moment.
const retry = 50 * time.Millisecond

// outsideName is the name under which the host's socket of a port is handed on.
func outsideName(p Port) string {
	return fmt.Sprintf("publish %s %d/%s", p.HostIP, p.HostPort, p.Protocol)
}

// listenOutside opens the published ports on the host, before anything else is
// done: one that is taken is refused now.
func listenOutside(c *Container) error {
	if c.Net.Kind != NetBridge {
		return nil
	}
	for _, p := range c.Net.Publish {
		fd, err := p.listen()
		if err != nil {
			return fmt.Errorf("--publish %d:%d/%s: %w", p.HostPort, p.Port, p.Protocol, err)
		}
		c.Hand(outsideName(p), fd)
	}
	return nil
}

// listen opens a port of the host, and returns the socket.
func (p Port) listen() (fd int, err error) {
	host := ""
	if p.HostIP.IsValid() {
		host = p.HostIP.String()
	}
	address := net.JoinHostPort(host, strconv.Itoa(int(p.HostPort)))
	var socket interface {
		File() (*os.File, error)
		Close() error
	}
	if p.Protocol == "udp" {
		// The port is ours from here on.
		c, err := net.ListenPacket("udp", address)
		if err != nil {
			return -1, err
		}
		socket = c.(*net.UDPConn)
	} else {
		// The port is ours from here on. Who connects waits until the parent accepts.
		l, err := net.Listen("tcp", address)
		if err != nil {
			return -1, err
		}
		socket = l.(*net.TCPListener)
	}
	// The copy below stays.
	defer socket.Close()
	// The socket of the host's, out of Go's hands.
	file, err := socket.File()
	if err != nil {
		return -1, err
	}
	// A copy of it stays open.
	defer file.Close()
	// A descriptor that Go does not close behind our back.
	return unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 3)
}

// forward begins to carry what comes through the ports that step 0 has opened.
// The child gets none of them.
func forward(c *Container) error {
	for _, p := range c.Net.Publish {
		name := outsideName(p)
		fd, ok := c.File(name)
		if !ok {
			continue // we are the host's root: the kernel carries it
		}
		c.Handed = slices.DeleteFunc(c.Handed, func(h string) bool { return h == name })
		delete(c.files, name)
		file := os.NewFile(uintptr(fd), name)
		to := netip.AddrPortFrom(c.Net.Address.Addr(), p.Port).String()
		if err := p.forward(file, to); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		// What forwards has a copy of it.
		file.Close()
	}
	return nil
}

func (p Port) forward(file *os.File, to string) error {
	if p.Protocol == "udp" {
		conn, err := net.FilePacketConn(file)
		if err == nil {
			go forwardUDP(conn, to)
		}
		return err
	}
	l, err := net.FileListener(file)
	if err == nil {
		go forwardTCP(l, to)
	}
	return err
}

// forwardTCP connects who comes through l with the container.
func forwardTCP(l net.Listener, to string) {
	for {
		// A client of the host's.
		client, err := l.Accept()
		if err != nil {
			time.Sleep(retry) // too many open files: some will be closed
			continue
		}
		go func() {
			defer client.Close()
			// The same as the client has asked for, from this side of the wall.
			server, err := net.Dial("tcp", to)
			if err != nil {
				return
			}
			defer server.Close()
			var both sync.WaitGroup
			both.Go(func() { carry(server, client) })
			both.Go(func() { carry(client, server) })
			both.Wait()
		}()
	}
}

// carry copies until one side has said all, and tells the other that it has.
func carry(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// forwardUDP gives each client a socket of its own, so that answers find back.
func forwardUDP(outside net.PacketConn, to string) {
	var mu sync.Mutex
	inside := map[string]net.Conn{}
	buf := make([]byte, 64<<10)
	for {
		n, client, err := outside.ReadFrom(buf)
		if err != nil {
			return
		}
		mu.Lock()
		conn, ok := inside[client.String()]
		if !ok {
			if conn, err = net.Dial("udp", to); err != nil {
				mu.Unlock()
				continue
			}
			inside[client.String()] = conn
			go func() {
				answer(outside, conn, client)
				mu.Lock()
				delete(inside, client.String())
				mu.Unlock()
			}()
		}
		mu.Unlock()
		_, _ = conn.Write(buf[:n])
	}
}

// answer carries a container's answers back to one client.
func answer(outside net.PacketConn, conn net.Conn, client net.Addr) {
	defer conn.Close()
	buf := make([]byte, 64<<10)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(udpIdle))
		n, err := conn.Read(buf)
		if err != nil {
			return // silent for too long, or nobody listens there
		}
		_, _ = outside.WriteTo(buf[:n], client)
	}
}
