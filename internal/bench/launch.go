//go:build linux

package main

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// A launch is what the start of a process costs, before kit does anything.
type launch struct {
	true, empty, kit spread
	Packages         []initialized
}

// An initialized is a package of kit's, and what its variables and init functions take in
// each process (GODEBUG=inittrace=1).
type initialized struct {
	Name    string
	MS, KiB float64
}

// A named is a row of a table.
type named struct {
	Name string
	spread
}

// Rows are the three processes.
func (l *launch) Rows() []named {
	return []named{
		{"true, without a container", l.true},
		{"an empty Go program", l.empty},
		{"kit as far as main: a larger program, and its packages", l.kit},
	}
}

// Sum is what all packages take, in milliseconds.
func (l *launch) Sum() (ms float64) {
	for _, x := range l.Packages {
		ms += x.MS
	}
	return ms
}

// Dearest are the packages that take most.
func (l *launch) Dearest() []initialized { return l.Packages[:min(8, len(l.Packages))] }

func (l *lab) launch(rounds int) (*launch, error) {
	var times [3][]time.Duration
	for range rounds + 1 {
		for i, args := range [][]string{{filepath.Join(l.root, "bin/true")}, {l.empty}, {l.kit}} {
			cmd := l.command(args)
			cmd.Env = append(os.Environ(), "KIT_ROLE=probe") // ends as soon as main is reached
			begin := time.Now()
			if err := cmd.Run(); err != nil {
				return nil, l.explained(err)
			}
			times[i] = append(times[i], time.Since(begin))
		}
	}
	packages, err := l.packages(rounds)
	return &launch{
		spreadOf(times[0][1:]), spreadOf(times[1][1:]), spreadOf(times[2][1:]), packages,
	}, err
}

// packages are all that have something to initialize, the dearest first, by their medians.
func (l *lab) packages(rounds int) (list []initialized, err error) {
	line := regexp.MustCompile(`(?m)^init (\S+) @.* ms, ([0-9.]+) ms clock, ([0-9]+) bytes`)
	times := map[string][]time.Duration{}
	bytes := map[string]float64{}
	for range rounds {
		cmd := exec.Command(l.kit)
		cmd.Env = []string{"GODEBUG=inittrace=1", "KIT_ROLE=probe"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			return nil, err
		}
		for _, m := range line.FindAllStringSubmatch(string(out), -1) {
			took, err := time.ParseDuration(m[2] + "ms")
			if err != nil {
				return nil, err
			}
			times[m[1]] = append(times[m[1]], took)
			bytes[m[1]], _ = strconv.ParseFloat(m[3], 64)
		}
	}
	for name, t := range times {
		list = append(list, initialized{name, spreadOf(t).Middle, bytes[name] / 1024})
	}
	slices.SortFunc(list, func(a, b initialized) int {
		return cmp.Or(cmp.Compare(b.MS, a.MS), cmp.Compare(a.Name, b.Name))
	})
	return list, nil
}
