//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/cgroup"
	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/state"
)

func newPauseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pause NAME",
		Short: "Stop all processes of a container where they are, until kit resume",
		Long: `Stop all processes of a container where they are, until kit resume. They are not
told: the kernel gives them no more time on a CPU (the freezer of cgroups(7)). Says
which file was written to.`,
		Args: wants(whichContainer),
		RunE: func(cmd *cobra.Command, args []string) error {
			return change(cmd, "pause", args[0], cgroup.Freeze)
		},
	}
}

// patience is how long the kernel may take to stop all processes.
const patience = 5 * time.Second

// change freezes a container, or lets it run on, and says how.
func change(cmd *cobra.Command, verb, name string,
	how func(dirs []string, patience time.Duration) (file string, err error),
) error {
	_, dirs, err := withCgroups(name)
	if err == nil {
		err = unchanged(verb, dirs)
	}
	if err != nil {
		return failed(fmt.Errorf("%s %s: %w", verb, name, err))
	}
	file, err := how(dirs, patience)
	if err != nil {
		return failed(fmt.Errorf("%s %s: %w", verb, name, err))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %sd (%s in %s)\n",
		name, verb, filepath.Base(file), filepath.Dir(file))
	return failed(err)
}

// unchanged refuses to do what has been done.
func unchanged(verb string, dirs []string) error {
	use, err := cgroup.Read(dirs)
	switch {
	case err != nil:
		return err
	case verb == "pause" && use.Frozen:
		return errors.New("it is paused already")
	case verb == "resume" && !use.Frozen:
		return errors.New("it is not paused")
	}
	return nil
}

// withCgroups returns a container that runs and has cgroups of its own, and these.
func withCgroups(name string) (state.State, []string, error) {
	s, err := state.Load(name)
	if err != nil {
		return s, nil, err
	}
	dirs, err := cgroupsOf(s)
	return s, dirs, err
}

// cgroupsOf returns the directories of a container's cgroups.
func cgroupsOf(s state.State) ([]string, error) {
	var c container.Container
	if err := json.Unmarshal(s.Container, &c); err != nil {
		return nil, fmt.Errorf("state of %s: %w", s.Name, err)
	}
	if len(c.Cgroups) == 0 {
		return nil, &cgroup.MissingError{Name: s.Name, Step: s.Step, Rootless: c.Rootless}
	}
	return c.Cgroups, nil
}
