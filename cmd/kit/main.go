//go:build linux

// Kit builds a Linux container step by step, and shows every kernel call.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/doctor"
	"github.com/containerkit/kit/internal/vm/guest"
	"github.com/containerkit/kit/rootfs"
	"github.com/containerkit/kit/steps"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// run returns the exit status of kit (cli.md): the command's own, or kit's.
func run(args []string) int {
	if guest.Is() {
		guest.Run()
	}
	if doctor.Is() {
		doctor.Do()
	}
	// One of kit's own processes: it has a role and no command line to read.
	if r, ok := container.Reexec(steps.All); ok {
		if report := (container.Report{Errors: inWords(r.Err), Notes: r.Notes}); !r.Tell(report) {
			tellAll(report)
		}
		return r.Exit
	}
	root := newRootCommand()
	root.SetArgs(args)
	err := root.Execute()
	var status *statusError
	if errors.As(err, &status) {
		report(status.err)
		return status.exit
	}
	if err == nil {
		return 0
	}
	report(plainly(err))
	if e := (*rootfs.Error)(nil); errors.As(err, &e) {
		return 125
	}
	return 2
}

// A statusError carries an exit status up to run, with or without an error to
// report.
type statusError struct {
	exit int
	err  error
}

func (e *statusError) Error() string { return fmt.Sprintf("exit status %d", e.exit) }

// failed is for what went wrong after the command line was understood.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return &statusError{exit: 125, err: err}
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "kit",
		Short:         "Build a Linux container step by step, and see every kernel call",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetHelpCommand(newHelpCommand())
	root.AddCommand(newStepCommand(), newStepsCommand(), newDiffCommand(), newInspectCommand(),
		newRootfsCommand(), newReplayCommand(), newAttackCommand(), newScriptCommand(), newVMCommand(),
		newPsCommand(), newEnterCommand(), newStopCommand(), newCleanCommand(),
		newStatsCommand(), newPauseCommand(), newResumeCommand(), newLabCommand(), newLessonCommand(),
		newNewCommand(), newDoctorCommand(), newCheckCommand())
	return root
}
