//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/cgroup"
	"github.com/containerkit/kit/internal/state"
)

func newStatsCommand() *cobra.Command {
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use:   "stats [NAME] [--json] [--watch]",
		Short: "What containers use: CPU, memory, tasks, disks; and how they fare under their limits",
		Long: `What the processes of a container use and may use, all together: CPU, memory,
tasks, disks; whether a limit has stopped them, and for how long they have waited
(pressure, where the kernel tells). It is read from the files of the container's
cgroups, of which --json names the directories. Without NAME: a line for each
container. What nobody counts here is -, in JSON null.

The use of CPUs is measured over half a second, or with --watch over the second
that has passed. JSON has the kernel's counters only, a line for each container.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v := &statsView{out: cmd.OutOrStdout(), json: asJSON, name: ""}
			if len(args) == 1 {
				v.name = args[0]
			}
			err := v.show(watch)
			if err != nil && v.name != "" {
				err = fmt.Errorf("stats %s: %w", v.name, err)
			}
			return failed(err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, with every counter")
	cmd.Flags().BoolVar(&watch, "watch", false, "again each second, until the container ends")
	return cmd
}

// A sample is what is known of one container at one time.
type sample struct {
	Time    time.Time `json:"time"`
	Name    string    `json:"name"`
	Pid     int       `json:"pid"`     // of its first process
	Step    int       `json:"step"`    // how many steps built it
	Cgroups []string  `json:"cgroups"` // [] where it has none of its own
	cgroup.Stats

	cpus *float64 // in use since the sample before
}

// A statsView shows samples of one container or of all.
type statsView struct {
	out    io.Writer
	name   string // "" for all
	json   bool
	before map[string]sample
	rows   int
}

// show shows the containers once, or again each second until there is none.
func (v *statsView) show(watch bool) error {
	list, err := v.take()
	if err != nil {
		return err
	}
	pace := time.Second
	if !watch {
		pace = time.Second / 2
	}
	if v.json {
		err = v.writeJSON(list)
	}
	for again := watch || !v.json; again && err == nil && len(list) > 0; again = watch {
		time.Sleep(pace)
		if list, err = v.again(); err == nil {
			err = v.write(list, watch)
		}
	}
	return err
}

func (v *statsView) write(list []sample, watch bool) error {
	switch {
	case v.json:
		return v.writeJSON(list)
	case v.name != "" && !watch:
		return writeDetails(v.out, list)
	}
	return v.writeTable(list)
}

// again is take, where it is no error that the container has ended meanwhile.
func (v *statsView) again() ([]sample, error) {
	list, err := v.take()
	if e := (*state.NotFoundError)(nil); errors.As(err, &e) {
		return nil, nil
	}
	return list, err
}

// take reads what all containers use by now, or the one.
func (v *statsView) take() ([]sample, error) {
	states, err := v.containers()
	if err != nil {
		return nil, err
	}
	var list []sample
	now := map[string]sample{}
	for _, s := range states {
		c, err := newSample(s)
		if e := (*cgroup.MissingError)(nil); errors.As(err, &e) && v.name == "" {
			err = nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has ended
		}
		if err != nil {
			return nil, err
		}
		c.cpus = rate(v.before[c.Name], c)
		now[c.Name] = c
		list = append(list, c)
	}
	v.before = now
	return list, nil
}

func (v *statsView) containers() ([]state.State, error) {
	if v.name != "" {
		s, err := state.Load(v.name)
		return []state.State{s}, err
	}
	all, err := state.List()
	var list []state.State
	for _, s := range all {
		if s.Pid != 0 && s.Running() {
			list = append(list, s)
		}
	}
	return list, err
}

func newSample(s state.State) (sample, error) {
	c := sample{
		Time: time.Now(), Name: s.Name, Pid: s.Pid, Step: s.Step, Cgroups: []string{},
		Stats: cgroup.Stats{IO: []cgroup.IO{}},
	}
	dirs, err := cgroupsOf(s)
	if err == nil {
		c.Cgroups = dirs
		c.Stats, err = cgroup.Read(dirs)
	}
	return c, err
}

// rate is how many CPUs were in use between two samples, nil where it is unknown.
func rate(before, after sample) *float64 {
	passed := after.Time.Sub(before.Time).Seconds()
	if before.CPU.Usage == nil || after.CPU.Usage == nil || passed <= 0 || before.Pid != after.Pid {
		return nil
	}
	cpus := (*after.CPU.Usage - *before.CPU.Usage) / passed
	return &cpus
}

func (v *statsView) writeJSON(list []sample) error {
	out := json.NewEncoder(v.out)
	for _, c := range list {
		if err := out.Encode(c); err != nil {
			return err
		}
	}
	return nil
}
