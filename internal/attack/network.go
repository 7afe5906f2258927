package attack

import (
	"encoding/binary"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long an attack waits for the host to do something.
const patience = 700 * time.Millisecond

// networks are the attacks on the host's network.
func networks() []*Attack {
	clone := []Call{{"clone", "CLONE_NEWNET"}}
	return []*Attack{
		{
			Name: "sniff", Tries: "read the host's packets", Stop: 5, By: clone,
			Why: "A packet socket hears the interfaces of its network namespace, and the host's are " +
				"in another. (That it can be opened at all is CAP_NET_RAW, which Docker leaves.)",
			Run: sniff,
		},
		{
			Name: "loopback", Tries: "use a service on the host's 127.0.0.1", Stop: 5, By: clone,
			Why: "127.0.0.1 is the container's own: each network namespace has its own lo.",
			Run: useLoopback,
		},
		{
			Name: "port", Tries: "take a port of the host's", Stop: 5, By: clone,
			Why: "Ports belong to the network namespace: the host's clients do not come here.",
			Run: takePort, Watch: clientComes,
		},
		{
			Name: "socket", Tries: "use an abstract socket of the host's", Stop: 5, By: clone,
			Why: "Names of Unix sockets that are no files belong to the network namespace. With " +
				"--net host they do not (CVE-2020-15257).",
			Run: useSocket,
		},
		{
			Name: "raw", Tries: "send a packet with a forged sender",
			Why: "CAP_NET_RAW is one of those that Docker leaves, for ping; in the container's own " +
				"network it reaches its neighbours on the bridge. --cap-drop NET_RAW stops it.",
			Run: sendRaw,
		},
	}
}

// sniff listens on all interfaces for what the host tells itself.
func sniff(t *Target) (string, error) {
	fd, err := packetSocket()
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	wait := unix.NsecToTimeval(int64(patience))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return "", fmt.Errorf("setsockopt SO_RCVTIMEO: %w", err)
	}
	buf := make([]byte, 2000)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return "", fmt.Errorf("recvfrom AF_PACKET: %w", err)
		}
		if strings.Contains(string(buf[:n]), t.Secret) {
			return t.tells(string(buf[:n]), "a packet")
		}
	}
	return "", fmt.Errorf("recvfrom AF_PACKET: no packet of the host's: %w", unix.EAGAIN)
}

func packetSocket() (int, error) {
	all := int(binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL}))
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, all)
	if err != nil {
		return -1, fmt.Errorf("socket AF_PACKET: %w", err)
	}
	return fd, nil
}

// sendRaw sends one frame of a protocol that nobody speaks to the interface lo of
// its own network namespace, with a sender that does not exist.
func sendRaw(*Target) (string, error) {
	fd, err := packetSocket()
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		return "", fmt.Errorf("link lo: %w", err)
	}
	frame := append([]byte("\x00\x00\x00\x00\x00\x00\x02forge\x88\xb5"), make([]byte, 46)...)
	if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: lo.Index}); err != nil {
		return "", fmt.Errorf("sendto AF_PACKET: %w", err)
	}
	return "sent a frame from an address that does not exist", nil
}

func useLoopback(t *Target) (string, error) {
	return t.ask("tcp", "127.0.0.1:"+strconv.Itoa(t.Service))
}

func useSocket(t *Target) (string, error) { return t.ask("unix", "@"+t.Socket) }

// ask reads what a service says.
func (t *Target) ask(network, address string) (string, error) {
	conn, err := net.DialTimeout(network, address, patience)
	if err != nil {
		return "", fmt.Errorf("connect %s: %w", address, cause(err))
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	buf := make([]byte, 100)
	n, err := conn.Read(buf)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", address, cause(err))
	}
	return t.tells(string(buf[:n]), address)
}

// takePort listens where a service of the host's might, and waits for a client.
func takePort(t *Target) (string, error) {
	address := "127.0.0.1:" + strconv.Itoa(t.Port)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", fmt.Errorf("bind %s: %w", address, cause(err))
	}
	defer listener.Close()
	_ = listener.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	conn, err := listener.Accept()
	if err != nil {
		return "", fmt.Errorf("accept %s: no client of the host's came: %w", address, unix.EAGAIN)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	buf := make([]byte, 100)
	n, _ := conn.Read(buf)
	return t.tells(string(buf[:n]), "a client that came to port "+strconv.Itoa(t.Port))
}

// clientComes tries to reach the port on the host until the attack is over.
func clientComes(h *Host) (func() error, error) {
	stop := make(chan bool)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
			conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(h.target.Port))
			if err != nil {
				continue
			}
			_, _ = conn.Write([]byte(h.target.Secret))
			conn.Close()
		}
	}()
	return func() error {
		close(stop)
		return nil // the attack itself knows whether somebody came
	}, nil
}
