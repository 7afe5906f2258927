//go:build linux

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/containerkit/kit/internal/trace"
)

// A part of the work is a step's moment, or one system call, in kit's own record.
type part struct {
	Name   string
	Calls  int
	MS     float64 // in the kernel, without the stops
	Line   string  // of its dearest statement
	LineMS float64
}

// A record is where the time of step 6 goes.
type record struct {
	Phases, calls []part
	Stop          float64 // ms: what the observer adds to a call
	Waits         int     // calls that wait for another process, and are in neither list
}

// record runs step 6 traced, so many times, and keeps the run with the middle sum.
func (l *lab) record(rounds int) (*record, error) {
	var all []*record
	for range rounds {
		file := filepath.Join(l.dir, "trace.json")
		cmd := l.command(l.step(6, []string{"/bin/true"}, "--format=json", "--trace-file", file))
		if err := cmd.Run(); err != nil {
			return nil, l.explained(err)
		}
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		r, err := read(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *record) int { return cmp.Compare(a.Sum(), b.Sum()) })
	return all[len(all)/2], nil
}

// Sum is the time in the kernel, in milliseconds.
func (r *record) Sum() (ms float64) {
	for _, p := range r.Phases {
		ms += p.MS
	}
	return ms
}

// Calls are how many calls the phases have.
func (r *record) Calls() (n int) {
	for _, p := range r.Phases {
		n += p.Calls
	}
	return n
}

// Dearest are the system calls that take most.
func (r *record) Dearest() []part { return r.calls[:min(12, len(r.calls))] }

// read takes a record apart: by moments in the order in which they begin, and by calls.
func read(in io.Reader) (*record, error) {
	var events []trace.Event
	for decoder := json.NewDecoder(in); ; {
		var e trace.Event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if e.Kind == trace.Syscall {
			events = append(events, e)
		}
	}
	if len(events) == 0 {
		return nil, fmt.Errorf("no system calls: %w", io.ErrUnexpectedEOF)
	}
	r := &record{Stop: stop(events)}
	phases, calls := newSums(), newSums()
	for _, e := range events {
		if waits(e.Call) {
			r.Waits++
			continue
		}
		took := max(0, float64(e.Took)/1e6-r.Stop)
		phases.add(phase(e), e, took)
		if e.Class != trace.Runtime {
			calls.add(e.Call, e, took)
		}
	}
	r.Phases, r.calls = phases.parts(), calls.parts()
	slices.SortStableFunc(r.calls, func(a, b part) int { return cmp.Compare(b.MS, a.MS) })
	return r, nil
}

// stop is how long a call takes that takes no time: what the observer adds.
func stop(events []trace.Event) float64 {
	var times []time.Duration
	for _, e := range events {
		if slices.Contains([]string{"getpid", "gettid", "geteuid", "fcntl"}, e.Call) {
			times = append(times, time.Duration(e.Took))
		}
	}
	if times == nil {
		return 0
	}
	return spreadOf(times).Middle
}

// waits tells that a call's time is another's: that of a process or a thread.
func waits(call string) bool {
	return slices.Contains([]string{
		"wait4", "waitid", "recvfrom", "recvmsg", "ppoll", "poll", "futex", "nanosleep",
		"epoll_pwait", "sched_yield", "flock",
	}, call)
}

func phase(e trace.Event) string {
	switch {
	case e.Class == trace.Runtime:
		return "Go's runtime, " + string(e.Side)
	case e.Moment == "":
		return "engine, " + string(e.Side)
	}
	return fmt.Sprintf("step %d %s, %s", e.Step, e.Name, e.Moment)
}

// Sums are parts by their names, in the order in which they were met.
type sums struct {
	byName map[string]*part
	order  []*part
	lines  map[string]float64
}

func newSums() *sums { return &sums{byName: map[string]*part{}, lines: map[string]float64{}} }

func (s *sums) add(name string, e trace.Event, ms float64) {
	p := s.byName[name]
	if p == nil {
		p = &part{Name: name}
		s.byName[name], s.order = p, append(s.order, p)
	}
	p.Calls++
	p.MS += ms
	if e.File == "" {
		return
	}
	line := fmt.Sprintf("%s:%d", strings.TrimPrefix(e.File, "internal/"), e.Line)
	s.lines[name+line] += ms
	if s.lines[name+line] > p.LineMS {
		p.Line, p.LineMS = line, s.lines[name+line]
	}
}

func (s *sums) parts() (list []part) {
	for _, p := range s.order {
		list = append(list, *p)
	}
	return list
}
