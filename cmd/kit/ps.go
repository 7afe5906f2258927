//go:build linux

package main

import "github.com/spf13/cobra"

func newPsCommand() *cobra.Command {
	return &cobra.Command{Use: "ps", Short: "being written"}
}
