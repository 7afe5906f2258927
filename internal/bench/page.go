//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A page is all that was measured.
type page struct {
	machine         string
	versions        string
	rounds, settled int
	settle          time.Duration
	starts          []*start
	missing         []string
	launch          *launch
	record          *record
	first           *first
	costs           []cost
	growth          []size
}

// versions are those of the tools, as far as they are here.
func versions() string {
	var list []string
	for _, tool := range []string{
		"strace", "unshare", "bwrap", "crun", "runc", "podman", "systemd-nspawn",
	} {
		if out, err := exec.Command(tool, "--version").Output(); err == nil {
			line, _, _ := strings.Cut(string(out), "\n")
			line = strings.NewReplacer("version ", "", "-- ", "", "from ", "").Replace(line)
			line, _, _ = strings.Cut(line, " (")
			list = append(list, strings.TrimSpace(line))
		}
	}
	return strings.Join(list, ", ")
}

func (p *page) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "speed.svg"), []byte(p.plot()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "speed.md"), []byte(p.text()), 0o644)
}

func (p *page) text() string {
	var b strings.Builder
	p.introduce(&b)
	p.table(&b)
	p.goals(&b)
	p.begin(&b)
	p.work(&b)
	p.layers(&b)
	p.crowd(&b)
	return b.String()
}

const introduction = `# What a container costs

Made by ` + "`make bench`" + `, as root; do not edit. Measured on %s.
The tools: %s.
Compare ratios: the milliseconds are this machine's.

![From start to exit of true, in milliseconds](speed.svg)

## From start to exit of true

The time is that from before fork to after wait of the tool, and all of them run the same
/bin/true from the same root file system. *Hot*: %d runs of each, in turn, back to back;
*settled*: %d, with %s of idleness before each. A median, and from quartile to quartile.

- All steps of kit from 3 on, crun, runc and podman have limits of memory, CPU and processes.
- Steps 5 and 6 of kit have a bridge, which the first container makes and the last removes:
  that is in the rows without a word. *Bridge there*: another container is alive.
- Step 6 has Docker's capabilities and system call filter. crun and runc have a network
  namespace without a link and, as their bundles have it, no filter; podman has all.
- *Traced* is with the whole trace, written to /dev/null; strace writes there, too.
- bubblewrap makes the namespaces and mounts of step 2.
- crun, podman and systemd-nspawn run where cgroup v1 is all that they see, if the machine is a
  hybrid of v1 and v2, which they refuse; kit and runc run on the machine as it is.
- The state of kit, crun, runc and podman is on the same kind of file system.

*Peak* is the most memory that the largest process of a run has had (resident set size); less
than 2 MiB cannot be told from the program that measures. *Waiting* is the memory of all
processes of the tool together while the command waits for input, its own not counted
(proportional set size: what n processes share counts as an n-th for each). kit traced is two
processes then: the observer, and the parent that there is without the trace, too.

`

func (p *page) introduce(b *strings.Builder) {
	fmt.Fprintf(b, introduction, p.machine, p.versions, p.rounds, p.settled, p.settle)
}

func (p *page) table(b *strings.Builder) {
	b.WriteString("| | hot ms | quartiles | x fork and exec | settled ms | quartiles " +
		"| peak MiB | waiting MiB |\n|---|---|---|---|---|---|---|---|\n")
	floor := p.median("fork and exec")
	for _, s := range p.starts {
		if s.err != nil || s.hot == nil || s.settled == nil {
			fmt.Fprintf(b, "| %s | fails here | | | | | | |\n", s.name)
			continue
		}
		hot, settled := spreadOf(s.hot), spreadOf(s.settled)
		waiting := ""
		if s.waits {
			waiting = fmt.Sprintf("%.1f", s.waiting)
		}
		fmt.Fprintf(b, "| %s | %.1f | %.1f to %.1f | %.1f | %.1f | %.1f to %.1f | %.1f | %s |\n",
			s.name, hot.middle, hot.low, hot.high, hot.middle/floor,
			settled.middle, settled.low, settled.high, s.peak, waiting)
	}
	if len(p.missing) > 0 {
		fmt.Fprintf(b, "\nNot installed here: %s.\n", strings.Join(p.missing, ", "))
	}
	for _, s := range p.starts {
		if s.err != nil {
			fmt.Fprintf(b, "\n%s fails here: %s\n", s.name, strings.ReplaceAll(s.err.Error(), "|", "/"))
		}
	}
}

// goals are what kit wants to be.
func (p *page) goals(b *strings.Builder) {
	b.WriteString("\n| | hot | settled | goal |\n|---|---|---|---|\n")
	for _, g := range []struct{ one, other, goal string }{
		{"kit step 2", "bubblewrap", "1.3"},
		{"kit step 6", "crun", "1.5"},
		{"kit step 6, bridge there", "crun", "1.5"},
		{"kit step 6", "runc", "0.5"},
		{"kit step 6, bridge there", "runc", "0.5"},
		{"kit step 6, traced", "strace -f kit step 6", "1"},
	} {
		one, other := p.row(g.one), p.row(g.other)
		if one == nil || other == nil {
			continue
		}
		fmt.Fprintf(b, "| %s : %s | %.2f | %.2f | at most %s |\n", g.one, g.other,
			spreadOf(one.hot).middle/spreadOf(other.hot).middle,
			spreadOf(one.settled).middle/spreadOf(other.settled).middle, g.goal)
	}
}

// row is that of a start that has worked, or nil.
func (p *page) row(name string) *start {
	for _, s := range p.starts {
		if s.name == name && s.err == nil && s.hot != nil && s.settled != nil {
			return s
		}
	}
	return nil
}

// median is the hot one, 0 where there is none.
func (p *page) median(name string) float64 {
	if s := p.row(name); s != nil {
		return spreadOf(s.hot).middle
	}
	return 0
}
