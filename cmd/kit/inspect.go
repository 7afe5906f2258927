//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/inspect"
	"github.com/containerkit/kit/internal/state"
)

func newInspectCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect [PID|NAME] [--json]",
		Short: "What makes a process one of a container: namespaces, ids, capabilities, cgroups, root",
		Long: `What makes a process one of a container, or not: its 8 namespaces and who owns
them, its user and group ids and their maps, its capabilities, no_new_privs,
seccomp, its cgroups with limits and use, its root directory. PID is a number as
you see it, NAME that of a running container; without either it is kit itself.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := inspected(args)
			if err != nil {
				return failed(err)
			}
			if !asJSON {
				return failed(r.WriteText(cmd.OutOrStdout()))
			}
			out := json.NewEncoder(cmd.OutOrStdout())
			out.SetIndent("", "  ")
			return failed(out.Encode(r))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, with every value")
	return cmd
}

// inspected reports on the process that the arguments name.
func inspected(args []string) (*inspect.Report, error) {
	if len(args) == 0 {
		return inspect.Process(os.Getpid())
	}
	if pid, err := strconv.Atoi(args[0]); err == nil {
		if pid <= 0 {
			return nil, fmt.Errorf("inspect %s: no process has this number", args[0])
		}
		return inspect.Process(pid)
	}
	s, err := state.Load(args[0])
	if err != nil {
		return nil, fmt.Errorf("inspect %s: %w", args[0], err)
	}
	r, err := inspect.Process(s.Pid)
	if err != nil {
		return nil, err
	}
	r.Name = s.Name
	return r, nil
}
