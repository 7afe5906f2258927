package netns

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// leave takes the container's rules out, or, when nobody is left, everything. It
// gives its address back.
func leave(c *container.Container, others []*container.Container) (err error) {
	left := slices.DeleteFunc(connected(mates(c, others)), func(o *container.Container) bool {
		return !o.Runs() // a killed kit's: it is gone for the others
	})
	if len(left) > 0 {
		tellOthers(c, left)
		err = unpublish(c)
	} else {
		err = takeDown(c)
	}
	if err == nil {
		c.Net.Address = netip.Prefix{}
	}
	return err
}

// unplug sees to it that the cable goes. The kernel removes it with the network namespace
// at its other end, some milliseconds after the last process there, and faster than we
// could. But somebody else may be in there, or a connection be open.
func unplug(c *container.Container) error {
	moment := unix.NsecToTimespec(time.Millisecond.Nanoseconds())
	for range 20 {
		// Is it still there?
		_, err := netlink.LinkByName(cableName(c))
		if errors.As(err, &netlink.LinkNotFoundError{}) {
			return nil
		}
		// The kernel is about to.
		_ = unix.Nanosleep(&moment, nil)
	}
	return removeLink(cableName(c))
}

// takeDown removes what is everybody's.
func takeDown(c *container.Container) error {
	err := errors.Join(removeTable(), removeLink(bridgeName))
	if c.Net.Closed {
		err = errors.Join(err, closeForwarding())
	}
	return err
}

// unpublish removes the rules that carry the container's name.
func unpublish(c *container.Container) error {
	conn, k := &nftables.Conn{}, newChains()
	for _, chain := range []*nftables.Chain{k.in, k.self} {
		// Each rule has the name of whom it is for.
		rules, err := conn.GetRules(k.table, chain)
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("nftables: %w", err)
		}
		for _, r := range rules {
			if !bytes.Equal(r.UserData, nameTag(c)) {
				continue
			}
			if err := conn.DelRule(r); err != nil {
				return fmt.Errorf("nftables: rule of %s: %w", c.Name, err)
			}
		}
	}
	// The ports are free again.
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("nftables: rules of %s: %w", c.Name, err)
	}
	return nil
}

// removeTable removes the table with all that is in it.
func removeTable() error {
	conn := &nftables.Conn{}
	conn.DelTable(newChains().table)
	// No packet is changed any more.
	err := conn.Flush()
	for _, none := range []error{unix.ENOENT, unix.EPROTONOSUPPORT, unix.EOPNOTSUPP} {
		if errors.Is(err, none) {
			return nil // the table is not there, or the kernel knows of none
		}
	}
	if err != nil {
		return fmt.Errorf("nftables: table kit: %w", err)
	}
	return nil
}
