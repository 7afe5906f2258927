//go:build linux

package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/newlab"
	"github.com/containerkit/kit/internal/seccomp"
)

func newNewCommand() *cobra.Command {
	var module string
	cmd := &cobra.Command{
		Use:   "new DIR [--module PATH]",
		Short: "Write a lab: the ladder with the bodies of the steps taken out, to write your own",
		Long: `Write a lab into DIR: a Go module with the six steps, in which the bodies of the
functions that the lessons are about are taken out. Their comments are left, as the
list of what to do. README.md in it says how to go on, and kit check DIR grades it.`,
		Example: `  kit new lab && cd lab && kit check .
  go run . 1 /bin/sh`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("new: into which directory? (kit new DIR)")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if module == "" {
				module = "lab"
			}
			// What go.mod takes: https://go.dev/ref/mod#go-mod-file-ident.
			path := regexp.MustCompile(`^[\w][-.~\w]*(/[\w][-.~\w]*)*$`)
			if !path.MatchString(module) {
				return fmt.Errorf("--module %s: not a module path, such as example.org/lab", module)
			}
			filter, err := seccomp.Default(capabilityNames(defaultCapabilities))
			if err != nil {
				return failed(err)
			}
			err = newlab.Write(args[0], module, filter)
			if errors.Is(err, newlab.ErrOccupied) {
				return fmt.Errorf("new: %w", err)
			}
			if err != nil {
				return failed(fmt.Errorf("new: %w", err))
			}
			dir := filepath.Clean(args[0])
			fmt.Fprintf(cmd.OutOrStdout(),
				"%s is a lab: begin with %[1]s/README.md; kit check %[1]s grades it\n", dir)
			return nil
		},
	}
	cmd.Flags().StringVar(&module, "module", "", "the `path` of the lab's Go module (default lab)")
	return cmd
}
