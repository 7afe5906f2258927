//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/check"
	"github.com/containerkit/kit/internal/state"
	"github.com/containerkit/kit/steps"
)

// checkOptions are the flags of kit check, and where it writes to.
type checkOptions struct {
	asJSON bool
	hints  int  // levels of hints, 0 to 3
	asked  bool // for hints
	step   int  // of a lab the only one, 0 for all

	out, errOut io.Writer
}

func newCheckCommand() *cobra.Command {
	o := &checkOptions{}
	cmd := &cobra.Command{
		Use:   "check <N|DIR> [NAME|PID] [--json] [--hints 0..3]",
		Short: "Check a container of your own from outside: points, and hints for what is missing",
		Long: `Check from outside how far a running container meets what the steps 1 to N ask for,
whoever made it: kit, a program of your own, unshare or docker. NAME is that of a
container of kit's, PID any process, as you see it; without either it is the newest
of kit's. It is not asked anything, stopped or changed: what counts is what the
kernel tells of it.

With DIR it grades a lab that kit new has written.

Hints have three levels: 1 asks a question, 2 names the mechanism of the kernel and
its man page, 3 the call, with the values found.

The exit status is 0 with all points, 1 where some are missing, 2 for wrong usage,
125 where it cannot be checked.

--json writes an object for graders. Keys may be added, none is renamed or left out:

  v       1
  pid     the process, 0 for a lab
  name    of a container of kit's, else ""
  dir     of a lab, else ""
  steps   N
  points  gained, of: all there are to gain
  items   step, name (unique in it), what (is asked for), points (gained), of (0: it
          does not apply here), got (what was found, or why it could not be looked at),
          hints (as many as asked for, none where all points are gained)`,
		Example: `  kit check 1
  kit check 2 4711 --hints 2
  kit check 6 web --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.out, o.errOut = cmd.OutOrStdout(), cmd.ErrOrStderr()
			o.asked = cmd.Flags().Changed("hints")
			return runCheck(o, args)
		},
	}
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "as JSON, for graders")
	cmd.Flags().IntVar(&o.hints, "hints", 1, "how many `levels` of hints: 0 to 3")
	cmd.Flags().IntVar(&o.step, "step", 0, "of a lab, grade this `step` only")
	return cmd
}

func runCheck(o *checkOptions, args []string) error {
	if o.hints < 0 || o.hints > 3 {
		return fmt.Errorf("--hints %d: not one of 0, 1, 2, 3", o.hints)
	}
	if o.step < 0 || o.step > len(steps.All) {
		return fmt.Errorf("--step %d: there is no such step; %s", o.step, ladder())
	}
	if len(args) == 0 {
		return errors.New("check: which step, or which directory of a lab? " +
			"(kit check <N|DIR> [NAME|PID])")
	}
	n, isStep := stepNamed(args[0])
	most := 2
	if !isStep {
		if err := labDirectory(args[0]); err != nil {
			return err
		}
		most = 1
	}
	if len(args) > most {
		return fmt.Errorf("check: %q is one argument too many", args[most])
	}
	if !isStep {
		return checkDir(args[0], o)
	}
	if o.step != 0 {
		return errors.New("--step is for a lab: kit check DIR --step N")
	}
	g := &grade{Version: 1, Steps: n}
	var err error
	if g.Pid, g.Name, err = checked(args[0], args[1:]); err != nil {
		return err
	}
	if g.Items, err = check.Container(g.Pid, n); err != nil {
		return failed(err)
	}
	return g.write(o)
}

// stepNamed understands "2" and "namespaces".
func stepNamed(arg string) (n int, ok bool) {
	n, err := stepNumber(arg)
	return n, err == nil
}

// labDirectory refuses what is neither a step nor a directory.
func labDirectory(arg string) error {
	info, err := os.Stat(arg)
	_, notANumber := strconv.Atoi(arg)
	switch {
	case notANumber == nil:
		return fmt.Errorf("check %s: there is no such step; %s", arg, ladder())
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("check %s: not a directory", arg)
	case strings.Contains(arg, "/"):
		return fmt.Errorf("check %s: there is no such directory", arg)
	}
	return fmt.Errorf("check %s: neither a step nor a directory; %s", arg, ladder())
}

// checked is the process to check: the one that is named, or the first one of the newest
// container.
func checked(step string, args []string) (pid int, name string, err error) {
	if len(args) == 0 {
		return newest(step)
	}
	if pid, err := strconv.Atoi(args[0]); err == nil {
		if pid <= 0 {
			return 0, "", fmt.Errorf("check %s: no process has this number", args[0])
		}
		return pid, "", nil
	}
	s, err := state.Load(args[0])
	if err != nil {
		return 0, "", failed(fmt.Errorf("check %s: %w", args[0], err))
	}
	return s.Pid, s.Name, nil
}

// newest is the container that was started last of those that run.
func newest(step string) (pid int, name string, err error) {
	all, err := state.List()
	if err != nil {
		return 0, "", failed(fmt.Errorf("check: %w", err))
	}
	var last state.State
	for _, s := range all {
		if s.Pid != 0 && s.Running() && s.Created.After(last.Created) {
			last = s
		}
	}
	if last.Pid == 0 {
		return 0, "", fmt.Errorf("check %s: no container of yours is running: which process? "+
			"(kit check %[1]s PID; ps -e lists them)", step)
	}
	return last.Pid, last.Name, nil
}
