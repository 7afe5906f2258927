//go:build linux

package main

import (
	"fmt"
	"strings"
)

// begin is what a process costs before kit does anything.
func (p *page) begin(b *strings.Builder) {
	l := p.launch
	all := 0.0
	for _, x := range l.packages {
		all += x.ms
	}
	b.WriteString("\n## Where the time goes\n\n| from start to exit, hot | ms | quartiles |\n|---|---|---|\n")
	for _, r := range []struct {
		name string
		s    spread
	}{
		{"true, without a container", l.true},
		{"an empty Go program", l.empty},
		{"kit, as far as main: its larger binary and its packages", l.kit},
	} {
		fmt.Fprintf(b, "| %s | %.2f | %.2f to %.2f |\n", r.name, r.s.middle, r.s.low, r.s.high)
	}
	fmt.Fprintf(b, "\nkit pays the last row twice: for itself, and for itself again in the child, which "+
		"\nbecomes the container (with the trace three times: the observer is one more). Of it %.2f ms\n"+
		"are the initialization of %d packages (`GODEBUG=inittrace=1`); the budget is 1 ms. The "+
		"dearest:\n\n| package | ms | KiB |\n|---|---|---|\n", all, len(l.packages))
	for _, x := range l.packages[:min(8, len(l.packages))] {
		fmt.Fprintf(b, "| %s | %.3f | %.1f |\n", x.name, x.ms, x.kib)
	}
}

// work is what kit does, from its own trace.
func (p *page) work(b *strings.Builder) {
	r := p.record
	total, calls := sum(r.phases), 0
	for _, x := range r.phases {
		calls += x.calls
	}
	fmt.Fprintf(b, "\nWhat step 6 then does, from its own trace (`--format=json`): the time in the kernel, by\n"+
		"the moments of the steps in the order in which they begin, and the statement of each that takes\n"+
		"most. A call that takes no time takes %.1f µs in the trace, which is the observer: so much is\n"+
		"taken off each. Left out are %d calls that wait for another process or thread.\n\n"+
		"| moment | calls | ms | dearest line | its ms |\n|---|---|---|---|---|\n",
		r.stop*1000, r.waits)
	for _, x := range r.phases {
		fmt.Fprintf(b, "| %s | %d | %.2f | %s | %.2f |\n", x.name, x.calls, x.ms, x.line, x.lineMS)
	}
	fmt.Fprintf(b, "| all | %d | %.2f | | |\n", calls, total)
	fmt.Fprintf(b, "\nUntraced, step 6 takes %.1f ms: twice the start of kit (%.1f), the calls (%.1f), the command, "+
		"\nand what remains, %.1f: kit's own computing, and waiting of one side for the other.\n",
		p.median("kit step 6"), 2*p.launch.kit.middle, total,
		p.median("kit step 6")-2*p.launch.kit.middle-total)
	b.WriteString("\nThe same by system calls, those of the Go runtime left out:\n\n" +
		"| call | times | ms |\n|---|---|---|\n")
	for _, x := range r.calls[:min(12, len(r.calls))] {
		fmt.Fprintf(b, "| %s | %d | %.2f |\n", x.name, x.calls, x.ms)
	}
}

// layers is what stays with a container: its files and its network.
func (p *page) layers(b *strings.Builder) {
	f := p.first
	fmt.Fprintf(b, "\n## The root file system\n\nIt is made once, from %d files and %.0f MiB of this "+
		"machine, in %.0f ms (quartiles %.0f to %.0f, the\nmachine's files in memory). After that a start only "+
		"looks whether they are still the same: step 1\ntakes %.1f ms with the default one, and %.1f ms given its "+
		"directory by `--rootfs`, as all rows above are.\n",
		f.files, f.mib, f.made.middle, f.made.low, f.made.high, f.looked.middle, f.given.middle)
	b.WriteString("\n## Files and network\n\nThe overlays of step 4 and of podman lie over the same directory, " +
		"with the changes on the same disk.\nThe questions are asked by the host, 5,000 on one connection, " +
		"and 1 GiB is sent to it.\n")
	var names string
	for _, c := range p.costs {
		head := "|"
		for _, at := range c.places {
			head += " | " + at.name
		}
		if head != names {
			names = head
			fmt.Fprintf(b, "\n%s | unit |\n|---%s|---|\n", head, strings.Repeat("|---", len(c.places)))
		}
		fmt.Fprintf(b, "| %s", c.what)
		for _, at := range c.places {
			if at.number < 0 {
				b.WriteString(" | missing here")
				continue
			}
			fmt.Fprintf(b, " | %.*f", digits(at.number), at.number)
		}
		fmt.Fprintf(b, " | %s |\n", c.unit)
	}
}

func digits(x float64) int {
	if x < 100 {
		return 2
	}
	return 0
}

// crowd is the cost as work grows.
func (p *page) crowd(b *strings.Builder) {
	if len(p.growth) == 0 {
		return
	}
	b.WriteString("\n## Many at once\n\nContainers of step 6 that are alive, what one more takes " +
		"from start to exit, and the memory of\nkit's own process for each while they wait " +
		"(proportional set size). The goals: at most 1.3 times\nthe first, and less than 6 MiB.\n\n" +
		"| alive | ms | quartiles | x the first | MiB each |\n|---|---|---|---|---|\n")
	for _, s := range p.growth {
		fmt.Fprintf(b, "| %d | %.1f | %.1f to %.1f | %.2f | %.2f |\n", s.alive, s.start.middle,
			s.start.low, s.start.high, s.start.middle/p.growth[0].start.middle, s.memory)
	}
}
