//go:build linux

package main

import "github.com/spf13/cobra"

func newPauseCommand() *cobra.Command {
	return &cobra.Command{Use: "pause", Short: "being written"}
}
