// Package check tells from outside how far somebody's container has come: whoever made it,
// and with whatever, it is a process, and what makes a process one of a container can be
// seen in the kernel's own account of it.
//
// Nothing is asked of the process itself, so nothing that it prints or answers counts. It is
// not stopped, and nothing in it is changed.
package check

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
)

// An Item is one thing that a step asks for, and how far it is done. Its JSON is an
// interface: keys may be added, none is renamed or left out.
type Item struct {
	Step   int    `json:"step"`   // the step that asks for it, from 1
	Name   string `json:"name"`   // one word, unique in its step: "root"
	What   string `json:"what"`   // what is asked for, as one would say it
	Points int    `json:"points"` // gained
	Of     int    `json:"of"`     // how many there are to gain; 0: it does not apply here
	Got    string `json:"got"`    // what was found, or why it could not be looked at

	// Hints help on, each more than the one before: a question; the mechanism of the kernel
	// and its man page; the call, with the values found. None where all points are gained.
	Hints []string `json:"hints"`
}

// Sum adds up the points of a list, and how many there are to gain.
func Sum(items []Item) (points, of int) {
	for _, i := range items {
		points, of = points+i.Points, of+i.Of
	}
	return points, of
}

// Container judges the process pid by what the steps 1 to upTo ask for, in this order. The
// error is for a process that cannot be looked at, or that has ended: it wraps ESRCH.
// What may not be read of one that runs is said in its item, which then gains nothing.
func Container(pid, upTo int) ([]Item, error) {
	if err := procfs.Mounted(); err != nil {
		return nil, fmt.Errorf("check %d: %w", pid, err)
	}
	start, err := procfs.StartTime(pid)
	if errors.Is(err, unix.ESRCH) || err == nil && !procfs.Running(pid, start) {
		err = unix.ESRCH // a zombie has nothing left to look at either
	}
	if err != nil {
		return nil, fmt.Errorf("check %d: %w", pid, err)
	}
	p, err := look(pid)
	if err != nil {
		return nil, fmt.Errorf("check %d: %w", pid, err)
	}
	defer p.close()
	var items []Item
	for _, e := range exercises() {
		if e.step <= upTo {
			items = append(items, e.item(p))
		}
	}
	if !procfs.Running(pid, start) {
		return nil, fmt.Errorf("check %d: it ended meanwhile: %w", pid, unix.ESRCH)
	}
	return items, nil
}
