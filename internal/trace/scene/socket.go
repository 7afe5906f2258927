package scene

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A socket speaks netlink(7) with the kernel.
type socket struct {
	fd       int
	sequence uint32
}

func (s *socket) close() { unix.Close(s.fd) }

// open opens a socket of a netlink protocol in a process's network namespace.
func (t *taker) open(p *Process, protocol int) (*socket, error) {
	if link, _ := os.Readlink("/proc/self/ns/net"); link == p.namespace("net") {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
		return &socket{fd: fd}, err
	}
	flags := uintptr(unix.CLONE_NEWNET)
	if link, _ := os.Readlink("/proc/self/ns/user"); link != p.namespace("user") {
		flags |= unix.CLONE_NEWUSER
	}
	fd, err := socketIn(p.Pid, flags, protocol)
	return &socket{fd: fd}, err
}

// dump asks for all objects of a kind, and calls each for every one.
func (s *socket) dump(kind uint16, body []byte, each func(*syscall.NetlinkMessage) error) error {
	s.sequence++
	request := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(body))
	binary.NativeEndian.PutUint32(request, uint32(unix.NLMSG_HDRLEN+len(body)))
	binary.NativeEndian.PutUint16(request[4:], kind)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	binary.NativeEndian.PutUint32(request[8:], s.sequence)
	kernel := &unix.SockaddrNetlink{Family: unix.AF_NETLINK}
	if err := unix.Sendto(s.fd, append(request, body...), 0, kernel); err != nil {
		return fmt.Errorf("sendto: %w", err)
	}
	buf := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(s.fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("recvfrom: %w", err)
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return fmt.Errorf("netlink: %w", err)
		}
		if done, err := s.take(messages, each); done || err != nil {
			return err
		}
	}
}

// take hands over the messages of one datagram, and tells whether it was the last.
func (s *socket) take(messages []syscall.NetlinkMessage,
	each func(*syscall.NetlinkMessage) error,
) (done bool, err error) {
	for i := range messages {
		m := &messages[i]
		switch m.Header.Type {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			if len(m.Data) < 4 {
				return true, unix.EBADMSG
			}
			return true, unix.Errno(-int32(binary.NativeEndian.Uint32(m.Data)))
		}
		if err := each(m); err != nil {
			return true, err
		}
	}
	return false, nil
}

// whole is a message with its header in front again.
func whole(m *syscall.NetlinkMessage) []byte {
	data := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(m.Data))
	binary.NativeEndian.PutUint32(data, uint32(unix.NLMSG_HDRLEN+len(m.Data)))
	binary.NativeEndian.PutUint16(data[4:], m.Header.Type)
	binary.NativeEndian.PutUint16(data[6:], m.Header.Flags)
	return append(data, m.Data...)
}
