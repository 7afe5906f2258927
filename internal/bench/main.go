//go:build linux

// Bench measures what containers cost: kit at every step, untraced and traced, beside the
// other tools that this machine has. It writes a page and a picture:
//
//	go run ./internal/bench -o docs
//
// All are measured in turn, so that each meets the same machine, and only ratios are to
// be compared between machines. It wants to be root, and alone on the machine for five
// minutes. The tools are those of Debian's packages strace, util-linux, bubblewrap, crun,
// runc, podman and systemd-container; one that is missing is left out.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/containerkit/kit/internal/ktest"
)

func main() {
	ktest.OwnNetwork() // the bridges are not the machine's
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	rounds := flag.Int("rounds", 40, "how often everything is measured, back to back")
	settled := flag.Int("settled", 15, "how often everything is measured after a pause")
	settle := flag.Duration("settle", 100*time.Millisecond, "how long that pause is")
	many := flag.Int("many", 500, "how many containers are alive at the end")
	out := flag.String("o", "docs", "the `directory` of speed.md and speed.svg")
	flag.Parse()
	switch {
	case os.Geteuid() != 0:
		return fmt.Errorf("it starts containers of several tools: %w", os.ErrPermission)
	case *rounds < 1 || *settled < 1 || *many < 1:
		return fmt.Errorf("-rounds, -settled, -many: from 1 on: %w", os.ErrInvalid)
	}
	l, err := newLab()
	if err != nil {
		return err
	}
	defer l.close()
	p := &page{
		Machine: machine(), Rounds: *rounds, Settled: *settled, Settle: *settle, Versions: versions(),
	}
	p.measure(l, *many)
	if err := p.write(*out); err != nil {
		return err
	}
	l.say("done: %s/speed.md", *out)
	return errors.Join(append(broken(p.Starts), p.Failed...)...)
}

// measure fills the page. What fails does not keep the rest from being measured.
func (p *page) measure(l *lab, many int) {
	starts, missing := l.starts()
	p.Starts, p.Missing = starts, strings.Join(missing, ", ")
	l.measure(p.Starts, p.Rounds, p.Settled, p.Settle)
	for _, s := range p.Starts {
		if s.waits {
			l.say("memory: %s", s.Name)
			l.once(s, func() (err error) { s.Waiting, err = l.memory(s); return err })
		}
	}
	for _, part := range []struct {
		name    string
		measure func() error
	}{
		{"the start of a process", func() (err error) { p.Launch, err = l.launch(p.Rounds); return err }},
		{"the calls of step 6", func() (err error) { p.Record, err = l.record(5); return err }},
		{"the root file system", func() (err error) { p.First, err = l.first(p.Rounds); return err }},
		{"overlay", func() error { return p.add(l.files(p.Rounds)) }},
		{"network", func() error { return p.add(l.network()) }},
		{"many at once", func() (err error) { p.Growth, err = l.grow(many); return err }},
	} {
		l.say("%s", part.name)
		if err := part.measure(); err != nil {
			p.Failed = append(p.Failed, fmt.Errorf("%s: %w", part.name, err))
			l.say("%v", p.Failed[len(p.Failed)-1])
		}
	}
}

// broken are the ways of kit that fail; another tool may not run on this machine.
func broken(starts []*start) (list []error) {
	for _, s := range starts {
		if s.kind != other && s.Err != nil {
			list = append(list, fmt.Errorf("%s: %w", s.Name, s.Err))
		}
	}
	return list
}

func (p *page) add(costs []cost, err error) error {
	p.Costs = append(p.Costs, costs...)
	return err
}
