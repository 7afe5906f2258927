//go:build linux

package main

import "github.com/spf13/cobra"

func newResumeCommand() *cobra.Command {
	return &cobra.Command{Use: "resume", Short: "being written"}
}
