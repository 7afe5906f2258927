//go:build linux

package main

import (
	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/cgroup"
)

func newResumeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "resume NAME",
		Short: "Let a container run on that kit pause has stopped",
		Args:  wants(whichContainer),
		RunE: func(cmd *cobra.Command, args []string) error {
			return change(cmd, "resume", args[0], cgroup.Thaw)
		},
	}
}
