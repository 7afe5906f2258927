package container

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// published gives a container on this very host a published port, which leads to
// the server at to.
func published(t *testing.T, protocol string, to net.Addr) (c *Container, outside string) {
	t.Helper()
	server := netip.MustParseAddrPort(to.String())
	c = &Container{Net: Net{
		Kind: NetBridge, Address: netip.PrefixFrom(server.Addr(), 8),
		Publish: []Port{{
			HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: freePort(t, protocol),
			Port: server.Port(), Protocol: protocol,
		}},
	}}
	require.NoError(t, listenOutside(c))
	require.Len(t, c.Handed, 1)
	require.NoError(t, forward(c))
	require.Empty(t, c.Handed, "the child must not get it")
	port := c.Net.Publish[0]
	return c, netip.AddrPortFrom(port.HostIP, port.HostPort).String()
}

func freePort(t *testing.T, protocol string) uint16 {
	t.Helper()
	if protocol == "udp" {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		defer conn.Close()
		return netip.MustParseAddrPort(conn.LocalAddr().String()).Port()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return netip.MustParseAddrPort(l.Addr().String()).Port()
}

// TestForwardTCP: what a client says arrives, its end too, and then the answer.
func TestForwardTCP(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				said, _ := io.ReadAll(conn) // up to the client's end
				_, _ = conn.Write(append([]byte("heard "), said...))
			}()
		}
	}()
	_, outside := published(t, "tcp", server.Addr())
	for _, word := range []string{"one", "two"} {
		conn, err := net.Dial("tcp", outside)
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
		_, err = io.WriteString(conn, word)
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		answer, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.Equal(t, "heard "+word, string(answer))
		conn.Close()
	}
}

// TestForwardUDP: each client gets its own answers.
func TestForwardUDP(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	go func() {
		buf := make([]byte, 100)
		for {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(append([]byte("heard "), buf[:n]...), from)
		}
	}()
	_, outside := published(t, "udp", server.LocalAddr())
	one, err := net.Dial("udp", outside)
	require.NoError(t, err)
	defer one.Close()
	two, err := net.Dial("udp", outside)
	require.NoError(t, err)
	defer two.Close()
	for range 2 {
		for word, conn := range map[string]net.Conn{"one": one, "two": two} {
			_, err = io.WriteString(conn, word)
			require.NoError(t, err)
		}
		for word, conn := range map[string]net.Conn{"one": one, "two": two} {
			buf := make([]byte, 100)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
			n, err := conn.Read(buf)
			require.NoError(t, err)
			require.Equal(t, "heard "+word, string(buf[:n]))
		}
	}
}

// TestTakenPort is refused before anything is done.
func TestTakenPort(t *testing.T) {
	for _, protocol := range []string{"tcp", "udp"} {
		c := &Container{Net: Net{Kind: NetBridge, Publish: []Port{{
			HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: freePort(t, protocol), Port: 1,
			Protocol: protocol,
		}}}}
		require.NoError(t, listenOutside(c))
		other := &Container{Net: c.Net}
		err := listenOutside(other)
		require.ErrorIs(t, err, unix.EADDRINUSE)
		require.Contains(t, err.Error(), "--publish ")
		for _, name := range c.Handed {
			fd, _ := c.File(name)
			require.NoError(t, unix.Close(fd))
		}
	}
}
