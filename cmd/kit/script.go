//go:build linux

package main

import "github.com/spf13/cobra"

func newScriptCommand() *cobra.Command {
	return &cobra.Command{Use: "script", Short: "being written"}
}
