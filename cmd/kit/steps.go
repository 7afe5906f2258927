//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/steps"
)

func newStepsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "steps",
		Short: "The ladder: what each step adds and does at which moment",
		Long: `The ladder: what each step adds, which function of it runs at which moment of a
container's life, and whether this machine can run it. The moments come in this
order; Before, Parent and After run on the host's side, Child, Root, Inside and
Last in the process that becomes the container.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return failed(writeLadder(cmd.OutOrStdout()))
		},
	}
}

// writeLadder writes the step x moment matrix, which is data, and what each
// step adds.
func writeLadder(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "STEP\tNAME")
	for _, m := range steps.All[0].Moments() {
		fmt.Fprintf(w, "\t%s", m.Name)
	}
	fmt.Fprintln(w)
	for i, s := range steps.All {
		fmt.Fprintf(w, "%d\t%s", i+1, s.Name)
		for _, m := range s.Moments() {
			fmt.Fprintf(w, "\t%s", orDot(m.Func()))
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for i, s := range steps.All {
		fmt.Fprintf(out, "%d %s adds %s\n", i+1, s.Name, s.Adds)
		fmt.Fprintf(out, "  on this machine: %s\n", verdict(i+1))
	}
	return nil
}

func orDot(s string) string {
	if s == "" {
		return "·"
	}
	return s
}

// verdict tries the namespaces of a step and says whether they can be had.
func verdict(n int) string {
	how, err := container.Try(steps.All[:n], container.Limits{})
	if err != nil {
		return fmt.Sprintf("no: %v", err)
	}
	if n == stepOf("memory") {
		how += limitsHere(n)
	}
	return how
}

// limitsHere tries the limits of step n, which not everybody who may have the step's
// namespaces may have, too. It says nothing where all can be had.
func limitsHere(n int) string {
	var have []string
	var lacking error
	tried := []struct {
		name string
		container.Limits
	}{
		{"memory", container.Limits{Memory: 1 << 30}},
		{"CPU", container.Limits{CPUs: 1}},
		{"processes", container.Limits{Pids: 1000}},
	}
	for _, limit := range tried {
		if _, err := container.Try(steps.All[:n], limit.Limits); err != nil {
			lacking = err
		} else {
			have = append(have, limit.name)
		}
	}
	switch {
	case lacking == nil:
		return ""
	case len(have) == 0:
		return fmt.Sprintf(", but without limits: %v", lacking)
	}
	return fmt.Sprintf(", with limits on %s only: %v", strings.Join(have, " and "), lacking)
}
