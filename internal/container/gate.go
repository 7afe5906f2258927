package container

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// gateFD is the child's end of the gate: the first descriptor after stderr.
const gateFD = 3

// The first byte that comes through a gate.
const (
	knocks  = 0 // what follows is yet to be asked for
	reports = 1 // a Report follows: no knock is to be expected any more
)

// maxHanded is how many open files may go through the gate at once. The kernel
// allows 253 (SCM_MAX_FD in unix(7)).
const maxHanded = 253

// A gate is one end of a pair of connected sockets between the parent and the
// child. The child knocks when it has tied its life to the parent's, and waits until
// the parent, who has waited for that, sends the Container.
type gate struct {
	fd     int
	theirs uint64 // inode of the other end
}

// newGate returns the parent's end, and the child's as a file to be inherited.
func newGate() (*gate, *os.File, error) {
	// A pair of sockets and not a pipe: sockets carry open files too, both ways.
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	var st unix.Stat_t
	// Who has the other end open is seen by this number.
	if err := unix.Fstat(fds[1], &st); err != nil {
		return nil, nil, fmt.Errorf("fstat: %w", err)
	}
	return &gate{fds[0], st.Ino}, os.NewFile(uintptr(fds[1]), "gate"), nil
}

// knock tells the other side that we are at the gate, and that we end when it does.
func (g *gate) knock() error {
	// Whoever opens the gate waits for this byte: killed before it, it opens nothing.
	if err := unix.Send(g.fd, []byte{knocks}, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("gate: send: %w", err)
	}
	return nil
}

// heed waits for the knock.
func (g *gate) heed() error {
	first := []byte{0}
	for {
		// From here on it does not outlive us, even if we are killed: it may go on.
		n, _, err := unix.Recvfrom(g.fd, first, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err == nil && (n == 0 || first[0] != knocks) {
			err = unix.EPIPE // it has ended, or is about to, and has said why
		}
		if err != nil {
			return fmt.Errorf("gate: recvfrom: %w", err)
		}
		return nil
	}
}

// send opens the gate: the Container as JSON, with the files it hands over.
func (g *gate) send(c *Container) error {
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("gate: %w", err)
	}
	var rights []byte
	for _, name := range c.Handed {
		rights = append(rights, unix.UnixRights(c.files[name])...)
	}
	if err := g.heed(); err != nil {
		return err
	}
	for len(data) > 0 {
		// The Container travels as JSON; open files travel beside it (SCM_RIGHTS).
		n, err := unix.SendmsgN(g.fd, data, rights, nil, unix.MSG_NOSIGNAL)
		if err != nil {
			return fmt.Errorf("gate: sendmsg: %w", err)
		}
		data, rights = data[n:], nil
	}
	// The end of the data opens the gate.
	if err := unix.Shutdown(g.fd, unix.SHUT_WR); err != nil {
		return fmt.Errorf("gate: shutdown: %w", err)
	}
	return nil
}

// receive knocks, and waits at the gate. It returns nil without an error when the
// parent has given up.
func (g *gate) receive() (*Container, error) {
	if err := g.knock(); errors.Is(err, unix.EPIPE) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var data bytes.Buffer
	var fds []int
	buf, oob := make([]byte, 16<<10), make([]byte, unix.CmsgSpace(4)*maxHanded)
	for {
		// Wait here until whoever started us has done its part and sends the rest.
		n, oobn, _, _, err := unix.Recvmsg(g.fd, buf, oob, unix.MSG_CMSG_CLOEXEC)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("gate: recvmsg: %w", err)
		}
		if n == 0 {
			break
		}
		data.Write(buf[:n])
		rights, err := parseRights(oob[:oobn])
		if err != nil {
			return nil, fmt.Errorf("gate: %w", err)
		}
		fds = append(fds, rights...)
	}
	if data.Len() == 0 {
		return nil, nil
	}
	c := &Container{}
	if err := json.Unmarshal(data.Bytes(), c); err != nil {
		return nil, fmt.Errorf("gate: %w", err)
	}
	if len(fds) != len(c.Handed) {
		return nil, fmt.Errorf("gate: %d files came for %d names", len(fds), len(c.Handed))
	}
	for i, name := range c.Handed {
		c.Keep(name, fds[i])
	}
	return c, nil
}

// sendFile gives the other side an open file.
func (g *gate) sendFile(fd int) error {
	// One byte goes along: a stream carries no message without data.
	if err := unix.Sendmsg(g.fd, []byte{0}, unix.UnixRights(fd), nil, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("gate: sendmsg: %w", err)
	}
	return nil
}

// receiveFile waits for an open file; -1 means that the other side has gone.
func (g *gate) receiveFile() (int, error) {
	oob := make([]byte, unix.CmsgSpace(4))
	for {
		// The child sends the master of its terminal, or ends without one.
		n, oobn, _, _, err := unix.Recvmsg(g.fd, make([]byte, 1), oob, unix.MSG_CMSG_CLOEXEC)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return -1, err
		}
		fds, err := parseRights(oob[:oobn])
		if err != nil || len(fds) == 0 {
			return -1, err
		}
		return fds[0], nil
	}
}

func (g *gate) close() {
	// Our end of the gate has done its work. Who waits at the other, waits no more.
	unix.Close(g.fd)
}

func parseRights(oob []byte) ([]int, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	var fds []int
	for _, m := range messages {
		rights, err := unix.ParseUnixRights(&m)
		if err != nil {
			return nil, err
		}
		fds = append(fds, rights...)
	}
	return fds, nil
}
