//go:build linux

package main

import "github.com/spf13/cobra"

func newStatsCommand() *cobra.Command {
	return &cobra.Command{Use: "stats", Short: "being written"}
}
