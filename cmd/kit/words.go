//go:build linux

package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// plainly puts what pflag says of a flag's value into the words of kit's other errors.
func plainly(err error) error {
	invalid := (*pflag.InvalidValueError)(nil)
	if !errors.As(err, &invalid) {
		return err
	}
	f, reason := invalid.GetFlag(), invalid.Unwrap()
	if number := (*strconv.NumError)(nil); errors.As(reason, &number) {
		reason = notA(f.Value.Type(), number)
	}
	if f.Value.Type() == "duration" {
		reason = errors.New("not a duration, such as 90s or 1h30m")
	}
	return fmt.Errorf("--%s %s: %w", f.Name, invalid.GetValue(), reason)
}

// notA says that a text is not of a flag's type, which is one of pflag's.
func notA(kind string, e *strconv.NumError) error {
	switch {
	case kind == "bool":
		return errors.New("neither true nor false")
	case errors.Is(e, strconv.ErrRange):
		return errors.New("too large a number")
	case strings.HasPrefix(kind, "float"):
		return errors.New("not a number")
	case strings.HasPrefix(kind, "uint"):
		return errors.New("not a whole number of 0 or more")
	}
	return errors.New("not a whole number")
}

// wants refuses a command line with too few or too many arguments. What are the
// questions that they answer, one for each.
func wants(what ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		name := strings.TrimPrefix(cmd.CommandPath(), "kit ")
		if len(args) < len(what) {
			return fmt.Errorf("%s: %s (%s)", name, what[len(args)],
				strings.TrimSuffix(cmd.UseLine(), " [flags]"))
		}
		if len(args) > len(what) {
			return fmt.Errorf("%s: %q is one argument too many", name, args[len(what)])
		}
		return nil
	}
}

// The questions of several commands.
const (
	whichContainer = "which container? kit ps lists them"
	whichRootfs    = "which root file system? kit rootfs ls lists them"
)
