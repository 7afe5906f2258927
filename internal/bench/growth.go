//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// A size is what one more container costs when so many are alive.
type size struct {
	Alive  int
	Start  spread // from start to exit
	Memory memory // of kit's own process, a container
}

// patience is how long the containers may take to start.
const patience = 3 * time.Minute

// grow starts containers of step 6 that wait, and measures now and then.
func (l *lab) grow(many int) (sizes []size, err error) {
	var all []*held
	defer func() {
		for _, h := range all {
			_ = h.input.Close()
		}
		for _, h := range all {
			err = errors.Join(err, h.cmd.Wait())
		}
	}()
	begin := time.Now()
	for alive := 1; alive <= many; alive++ {
		if took := time.Since(begin).Round(time.Second); took > patience {
			return sizes, fmt.Errorf("no more than %d in %s: %w", alive-1, took, os.ErrDeadlineExceeded)
		}
		h, err := l.waiting(l.step(6, wait, "--trace=off"))
		if err != nil {
			return sizes, fmt.Errorf("container %d: %w", alive, err)
		}
		all = append(all, h)
		if alive == 1 || alive%100 == 0 || alive == many {
			l.say("one more container where %d are alive", alive)
			s, err := l.sizeAt(all)
			if err != nil {
				return sizes, err
			}
			sizes = append(sizes, s)
		}
	}
	return sizes, nil
}

func (l *lab) sizeAt(all []*held) (s size, err error) {
	one := &start{true: l.step(6, []string{"/bin/true"}, "--trace=off")}
	time.Sleep(time.Second)
	for range 21 {
		if err := l.took(one, &one.hot, 0); err != nil {
			return s, err
		}
	}
	s.Alive, s.Start = len(all), spreadOf(one.hot[1:])
	// Each has one process of kit's, the parent; a look at all processes for each of 500
	// would take longer than what is measured.
	for _, h := range all {
		m, err := memoryOf(h.cmd.Process.Pid)
		if err != nil {
			return s, err
		}
		s.Memory.Proportional += m.Proportional / float64(len(all))
		s.Memory.Anonymous += m.Anonymous / float64(len(all))
	}
	return s, nil
}
