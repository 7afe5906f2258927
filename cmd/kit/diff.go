//go:build linux

package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/trace/render"
	"github.com/containerkit/kit/steps"
)

func newDiffCommand() *cobra.Command {
	var when string
	cmd := &cobra.Command{
		Use:     "diff A B",
		Short:   "What step B adds to step A: the source, highlighted",
		Example: "  kit diff 1 2\n  kit diff chroot namespaces",
		Args:    wants("from which step? 0 is none", "to which step? kit steps lists them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			colorful, err := render.ColorFor(when, os.Stdout)
			if err != nil {
				return err
			}
			a, b, err := stepPair(args)
			if err != nil {
				return err
			}
			return failed(diff(cmd.OutOrStdout(), a, b, colorful))
		},
	}
	cmd.Flags().StringVar(&when, "color", "auto", "`auto|always|never`: colours")
	return cmd
}

// stepPair understands two steps, the lower one first. A may be 0: no step.
func stepPair(args []string) (a, b int, err error) {
	if args[0] != "0" {
		if a, err = stepNumber(args[0]); err != nil {
			return 0, 0, err
		}
	}
	if b, err = stepNumber(args[1]); err != nil {
		return 0, 0, err
	}
	if a >= b {
		return 0, 0, fmt.Errorf("diff %s %s: the second step must come after the first", args[0], args[1])
	}
	return a, b, nil
}

// diff writes what the steps after a, up to b, add: which functions run at
// which moment, which earlier one no longer runs, and their source.
func diff(w io.Writer, a, b int, colorful bool) error {
	for n := a + 1; n <= b; n++ {
		s := steps.All[n-1]
		fmt.Fprintf(w, "step %d, %s, adds %s\n\n", n, s.Name, s.Adds)
		for _, m := range s.Moments() {
			if m.Func() == "" {
				continue
			}
			fmt.Fprintf(w, "  %-7s %-7s %s%s\n", m.Name, m.Side, m.Func(), replaced(m.Name, n))
		}
		files, err := stepFiles(n)
		if err != nil {
			return err
		}
		for _, file := range files {
			src, err := fs.ReadFile(sources{}, file)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "\n+++ %s\n\n", file)
			if err := writeSource(w, src, colorful); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaced tells which earlier function step n puts out of work: "/" can be
// swapped only once, and the newest step does it.
func replaced(moment string, n int) string {
	if moment != "Root" {
		return ""
	}
	for i := n - 2; i >= 0; i-- {
		for _, m := range steps.All[i].Moments() {
			if m.Name == moment && m.Func() != "" {
				return fmt.Sprintf("  (in place of %s of step %d)", m.Func(), i+1)
			}
		}
	}
	return ""
}
