package lab

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// Serve answers HTTP at a TCP address with three lines: the host name, the
// address at which the connection arrived, and its own pid. With udp it also
// answers each datagram at the same UDP address, with the host name, its pid and
// the datagram itself. It says where it listens in a line to out, and returns only
// with an error.
func Serve(out io.Writer, addr string, udp bool) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	if udp {
		// A port that the kernel has chosen is the same for both.
		packets, err := net.ListenPacket("udp", listener.Addr().String())
		if err != nil {
			return err
		}
		go echo(packets)
	}
	if _, err := fmt.Fprintf(out, "listening on %s\n", listener.Addr()); err != nil {
		return err
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go answer(conn)
	}
}

// answer reads one request, whatever it asks for. An HTTP server of the standard
// library would cost every start of kit a fifth of a millisecond.
func answer(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	request := bufio.NewScanner(io.LimitReader(conn, 64<<10))
	for request.Scan() && request.Text() != "" {
		// The request ends with an empty line.
	}
	body := fmt.Sprintf("%s\n%s\n%d\n", hostname(), conn.LocalAddr(), os.Getpid())
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"+
		"Content-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
}

// echo returns what it gets, and tells whose answer it is.
func echo(packets net.PacketConn) {
	data := make([]byte, 64<<10)
	for {
		n, from, err := packets.ReadFrom(data)
		if err != nil {
			continue // that of an answer before, which nobody took
		}
		reply := fmt.Appendf(nil, "%s\n%d\n%s", hostname(), os.Getpid(), data[:n])
		_, _ = packets.WriteTo(reply, from)
	}
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "?"
	}
	return name
}
