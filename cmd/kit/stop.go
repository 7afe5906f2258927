//go:build linux

package main

import "github.com/spf13/cobra"

func newStopCommand() *cobra.Command {
	return &cobra.Command{Use: "stop", Short: "being written"}
}
