package netns

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// leave takes the container's rules out, or, when nobody is left, everything. It
// gives its address back.
func leave(c *container.Container, others []*container.Container) (err error) {
	left := connected(mates(c, others))
	// The kernel removes the cable with the network namespace in which its other end is, a
	// moment after the last process there: to do it ourselves takes longer than all the rest.
	if !c.PID.Own() || slices.ContainsFunc(others, joins) {
		err = removeLink(cableName(c))
	}
	if slices.ContainsFunc(left, (*container.Container).Runs) {
		tellOthers(c, left)
		err = errors.Join(err, unpublish(c))
	} else {
		err = errors.Join(err, takeDown(c))
	}
	if err == nil {
		c.Net.Address = netip.Prefix{}
	}
	return err
}

// joins tells that a container lives in the network namespace of another, and may keep it
// from going.
func joins(o *container.Container) bool { return o.Net.Kind == container.NetContainer }

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
