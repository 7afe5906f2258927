//go:build linux

package main

import (
	"fmt"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/attack"
)

func newAttackCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:    "attack",
		Short:  "Break-outs, to be run inside a container",
		Hidden: true,
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "double-chroot [command [args...]]",
		Short: "Leave a chroot, and run a command outside",
		RunE:  func(_ *cobra.Command, args []string) error { return doubleChroot(args) },
	})
	return cmd
}

func doubleChroot(args []string) error {
	if err := attack.DoubleChroot(); err != nil {
		return failed(fmt.Errorf("double chroot: %w", err))
	}
	fmt.Println("outside")
	if len(args) == 0 {
		return nil
	}
	err := syscall.Exec(args[0], args, os.Environ())
	return failed(fmt.Errorf("execve %s: %w", args[0], err))
}
