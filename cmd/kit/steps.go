//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/doctor"
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
			return failed(writeLadder(cmd.Context(), cmd.OutOrStdout()))
		},
	}
}

// writeLadder writes the step x moment matrix, which is data, and what each
// step adds.
func writeLadder(ctx context.Context, out io.Writer) error {
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
	verdicts, err := doctor.Ladder(ctx, steps.All)
	if err != nil {
		return err
	}
	for i, s := range steps.All {
		fmt.Fprintf(out, "%d %s adds %s\n", i+1, s.Name, s.Adds)
		fmt.Fprintf(out, "  on this machine: %s\n", verdict(verdicts[i]))
	}
	return nil
}

func orDot(s string) string {
	if s == "" {
		return "·"
	}
	return s
}

// verdict says whether this machine can run a step.
func verdict(s doctor.Step) string {
	if s.State != doctor.Works {
		return "no: " + s.Error
	}
	how := "yes, as root"
	if s.As == doctor.AsUser {
		how = "yes, in a user namespace of your own"
	}
	switch len(s.Lacks) {
	case 0:
		return how
	case doctor.Limits:
		return how + ", but without limits: " + s.Error
	}
	return how + ", but without limits on " + strings.Join(s.Lacks, " and ") + ": " + s.Error
}
