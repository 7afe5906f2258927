//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A cost is one measurement, in several places.
type cost struct {
	What, Unit string
	Places     []place
}

// A place is where it was measured. A number below 0: not there.
type place struct {
	Name   string
	Number float64
}

// files measures 200 times stat and the first byte written to a file of 16 MiB: on the
// host, in kit's overlay, and in podman's over the same directory.
func (l *lab) files(rounds int) ([]cost, error) {
	root := filepath.Join(l.dir, "data-root")
	if out, err := exec.Command("cp", "-a", l.root, root).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cp: %w: %s", err, out)
	}
	if err := fill(filepath.Join(root, "data"), l.probe); err != nil {
		return nil, err
	}
	inside := []string{"/data/probe", "files", "/data"}
	ways := []struct {
		name string
		args []string
		room bool
	}{
		{"host", []string{l.probe, "files", filepath.Join(root, "data")}, false},
		{"kit", []string{
			// The changes are on the same disk, as podman's are.
			"env", "KIT_STATE=" + filepath.Join(l.dir, "kit-state"),
			l.kit, "step", "4", "--trace=off", "--rootfs", root, "--", inside[0], inside[1], inside[2],
		}, false},
		{"podman", l.podman("none", root+":O", inside), true},
	}
	stat, write := cost{What: "overlay: 200 × stat", Unit: "ms"},
		cost{What: "overlay: first write to a file of 16 MiB", Unit: "ms"}
	for _, w := range ways {
		l.say("files of %s", w.name)
		a, b := -1.0, -1.0
		if _, err := exec.LookPath(w.args[0]); err == nil {
			s := &start{true: w.args, room: w.room}
			if a, b, err = l.pair(s, rounds); err != nil {
				if w.name != "podman" {
					return nil, fmt.Errorf("%s: %w", w.name, err)
				}
				l.say("%v", err)
			}
		}
		stat.Places = append(stat.Places, place{w.name, a})
		write.Places = append(write.Places, place{w.name, b})
	}
	return []cost{stat, write}, nil
}

func fill(data, probe string) error {
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	for i := range 200 {
		if err := os.WriteFile(filepath.Join(data, fmt.Sprint("f", i)), nil, 0o644); err != nil {
			return err
		}
	}
	program, err := os.ReadFile(probe)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(data, "probe"), program, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(data, "big"), make([]byte, 16<<20), 0o644)
}

// pair runs a command that prints two times in nanoseconds, and gives their medians in ms,
// below 0 where it fails.
func (l *lab) pair(s *start, rounds int) (float64, float64, error) {
	var times [2][]time.Duration
	for range rounds {
		err := l.inside(s, func() error {
			var out bytes.Buffer
			cmd := l.command(s.true)
			cmd.Stdout = &out
			if err := cmd.Run(); err != nil {
				return l.explained(err)
			}
			var ns [2]int64
			if _, err := fmt.Sscan(out.String(), &ns[0], &ns[1]); err != nil {
				return fmt.Errorf("%q: %w", out.String(), err)
			}
			for i := range ns {
				times[i] = append(times[i], time.Duration(ns[i]))
			}
			return nil
		})
		if err != nil {
			return -1, -1, err
		}
	}
	return spreadOf(times[0]).Middle, spreadOf(times[1]).Middle, nil
}
