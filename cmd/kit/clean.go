//go:build linux

package main

import "github.com/spf13/cobra"

func newCleanCommand() *cobra.Command {
	return &cobra.Command{Use: "clean", Short: "being written"}
}
