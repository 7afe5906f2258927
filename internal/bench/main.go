//go:build linux

// Bench measures what containers cost: kit at every step, untraced and traced, beside the
// other tools that this machine has. It writes a page and a picture:
//
//	go run ./internal/bench -o docs
//
// All are measured in turn, so that each meets the same machine, and only ratios are to
// be compared between machines. It wants to be root, and alone on the machine.
package main

import (
	"flag"
	"fmt"
	"os"
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
	rounds := flag.Int("rounds", 25, "how often everything is measured, back to back")
	settled := flag.Int("settled", 10, "how often everything is measured after a pause")
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
		machine: machine(), rounds: *rounds, settled: *settled, settle: *settle, versions: versions(),
	}
	if err := p.measure(l, *many); err != nil {
		return err
	}
	l.say("done")
	return p.write(*out)
}

// measure fills the page.
func (p *page) measure(l *lab, many int) (err error) {
	p.starts, p.missing = l.starts()
	l.measure(p.starts, p.rounds, p.settled, p.settle)
	for _, s := range p.starts {
		if s.waits {
			l.say("memory while the command waits: %s", s.name)
			l.once(s, func() (err error) { s.waiting, err = l.memory(s); return err })
		}
	}
	l.say("where the time goes")
	if p.launch, err = l.launch(p.rounds); err != nil {
		return err
	}
	if p.record, err = l.record(5); err != nil {
		return err
	}
	if p.first, err = l.first(p.rounds); err != nil {
		return err
	}
	files, err := l.files(p.rounds)
	if err != nil {
		return err
	}
	network, err := l.network()
	if err != nil {
		return err
	}
	p.costs = append(files, network...)
	p.growth, err = l.grow(many)
	return err
}
