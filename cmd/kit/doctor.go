//go:build linux

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/doctor"
	"github.com/containerkit/kit/steps"
)

func newDoctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor [--json]",
		Short: "Try each primitive on this machine; say what fails, why, and how to fix it",
		Long: `Try what containers are made of on this machine, by doing it, in children and
throw-away namespaces: nothing is left of it. What does not work is told with the
reason, as far as the kernel tells it, and with what to do about it. A primitive that
anybody may try is tried as root of the host and as root of a user namespace, where
kit is started by root.

The exit status is 0 where all steps work in some way, and 1 where one does not.

With --json, one object: "ok"; "machine" with "kernel", "arch", "uid", "root", "cgroup"
(v1, v2, hybrid), "inside" (docker, podman, codespaces, wsl1, wsl2, ...), "label" of a
security module; "steps", each with "step", "name", "state" (works, fails), "as" (root, user),
"lacks", "error" and "hints"; "checks", each with "id", "step", "name", "as", "state"
(works, fails, untried), "found", "error", "loses" (what of kit it costs) and "hints".`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := doctor.Examine(cmd.Context(), steps.All)
			if err != nil {
				return failed(fmt.Errorf("doctor: %w", err))
			}
			if err := writeReport(cmd.OutOrStdout(), r, asJSON); err != nil {
				return failed(err)
			}
			if !r.OK {
				return &statusError{exit: 1}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object, with every value")
	return cmd
}

// enough is how long somebody waits to be told more of an error.
const enough = 20 * time.Second

// consult asks the doctor why a step has failed, where its error says nothing but that.
func consult(c *container.Container, err error) error {
	told := inWords(err)
	if len(told) == 0 || slices.ContainsFunc(told, func(t *container.Told) bool {
		return len(t.Hints) > 0
	}) {
		return err
	}
	last := told[len(told)-1]
	if !ofMachine(last.Text) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), enough)
	defer cancel()
	last.Hints, _ = doctor.Reasons(ctx, c.Steps) // none, where there is no place to try anything
	return container.Report{Errors: told}.Err()
}

// ofMachine tells that an error, which may be another process's, is of a kind that a machine
// gives for what it lacks or forbids: not that a file of the user's is not there.
func ofMachine(text string) bool {
	return slices.ContainsFunc([]unix.Errno{
		unix.EPERM, unix.EACCES, unix.ENOSYS, unix.EINVAL, unix.ENODEV, unix.EOPNOTSUPP, unix.EROFS,
		unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT, unix.ENOSPC, unix.EUSERS, unix.ENOPROTOOPT,
	}, func(errno unix.Errno) bool { return strings.HasSuffix(text, errno.Error()) })
}

func writeReport(out io.Writer, r doctor.Report, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	_, err := io.WriteString(out, doctorText(r))
	return err
}

// A doctorTable is the report as it is written for people.
type doctorTable struct {
	strings.Builder
	both bool            // there are two columns: root of the host, and of a user namespace
	said map[string]bool // hints that need not be said again
}

// doctorText is a table of the steps, and below each of the primitives that it is the
// first to need.
func doctorText(r doctor.Report) string {
	t := &doctorTable{both: r.Machine.Root, said: map[string]bool{}}
	fmt.Fprintln(t, machineLine(r.Machine))
	if t.both {
		fmt.Fprintln(t, "First column: as root here. Second: as root of a user namespace.")
	}
	fmt.Fprintln(t, "\nkit itself")
	t.checks(r.Checks, 0)
	for _, s := range r.Steps {
		fmt.Fprintf(t, "\nstep %d, %s: %s\n", s.N, s.Name, verdict(s))
		t.hints(s.Hints)
		t.checks(r.Checks, s.N)
	}
	fmt.Fprintf(t, "\n%s\n", doctorSummary(r))
	return t.String()
}

func machineLine(m doctor.Machine) string {
	who := "root"
	if !m.Root {
		who = fmt.Sprintf("uid %d, not root of this host", m.UID)
	}
	line := fmt.Sprintf("Linux %s, %s; %s; cgroups: %s", m.Kernel, m.Arch, who, orNone(m.Cgroup))
	if m.Inside != "" {
		line += "; inside " + m.Inside
	}
	if m.Label != "" && m.Label != "unconfined" {
		line += "; confined as " + m.Label
	}
	return line
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// checks writes a line for each primitive of a step, with a cell for each way in which
// it was tried, and below it what there is to say of a failure.
func (t *doctorTable) checks(all []doctor.Check, step int) {
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].ID == all[0].ID {
			n++
		}
		if all[0].Step == step {
			t.row(all[:n])
		}
		all = all[n:]
	}
}

// row writes one line, and what there is to say of it.
func (t *doctorTable) row(tries []doctor.Check) {
	cells := [2]string{}
	found := ""
	for _, c := range tries {
		column := 0
		if c.As == doctor.AsUser && t.both {
			column = 1
		}
		cells[column] = map[string]string{
			doctor.Works: "works", doctor.Fails: "FAILS", doctor.Untried: "-",
		}[c.State]
		found = cmp.Or(found, c.Found)
	}
	line := fmt.Sprintf("  %-5s  ", cells[0])
	if t.both {
		line += fmt.Sprintf("%-5s  ", cells[1])
	}
	line += fmt.Sprintf("%-28s  %s", tries[0].Name, found)
	fmt.Fprintln(t, strings.TrimRight(line, " "))
	for _, c := range tries {
		t.failure(c)
	}
}

// doctorIndent is where what is said of a line begins.
const doctorIndent = "         "

func (t *doctorTable) failure(c doctor.Check) {
	if c.State != doctor.Fails {
		return
	}
	as := map[string]string{doctor.AsRoot: "as root: ", doctor.AsUser: "in a user namespace: "}
	fmt.Fprintf(t, "%s%s%s\n", doctorIndent, as[c.As], c.Error)
	fmt.Fprintf(t, "%swithout it: %s\n", doctorIndent, c.Loses)
	t.hints(c.Hints)
}

// hints says each only once.
func (t *doctorTable) hints(hints []string) {
	for _, hint := range hints {
		if !t.said[hint] {
			fmt.Fprintf(t, "%shint: %s\n", doctorIndent, hint)
		}
		t.said[hint] = true
	}
}

// doctorSummary is what it comes to.
func doctorSummary(r doctor.Report) string {
	var failing []string
	for _, s := range r.Steps {
		if s.State != doctor.Works {
			failing = append(failing, fmt.Sprint(s.N))
		}
	}
	if len(failing) == 0 {
		return fmt.Sprintf("All %d steps work here.", len(r.Steps))
	}
	return "These steps do not work here: " + strings.Join(failing, ", ")
}
