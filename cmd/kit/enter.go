//go:build linux

package main

import "github.com/spf13/cobra"

func newEnterCommand() *cobra.Command {
	return &cobra.Command{Use: "enter", Short: "being written"}
}
