//go:build linux

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

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

func writeReport(out io.Writer, r doctor.Report, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	_, err := io.WriteString(out, doctorText(r))
	return err
}

// doctorText is the report as a table for people: each step, and below it the
// primitives that it is the first to need.
func doctorText(r doctor.Report) string {
	var b strings.Builder
	fmt.Fprintln(&b, machineLine(r.Machine))
	if r.Machine.Root {
		fmt.Fprintln(&b, "First column: as root of this host. Second: as root of a user namespace.")
	}
	fmt.Fprintln(&b, "\nkit itself")
	writeChecks(&b, r, 0)
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "\nstep %d, %s: %s\n", s.N, s.Name, verdict(s))
		writeHints(&b, s.Hints)
		writeChecks(&b, r, s.N)
	}
	fmt.Fprintf(&b, "\n%s\n", doctorSummary(r))
	return b.String()
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
	if m.Label != "" {
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

// writeChecks writes a line for each primitive of a step, with a cell for each way in
// which it was tried, and below it what there is to say of a failure.
func writeChecks(b *strings.Builder, r doctor.Report, step int) {
	for i := 0; i < len(r.Checks); i++ {
		c := r.Checks[i]
		if c.Step != step {
			continue
		}
		list := []doctor.Check{c}
		if i+1 < len(r.Checks) && r.Checks[i+1].ID == c.ID {
			i++
			list = append(list, r.Checks[i])
		}
		writeRow(b, list, r.Machine.Root)
		for _, c := range list {
			if c.State == doctor.Fails {
				writeFailure(b, c)
			}
		}
	}
}

// writeRow writes one line. The columns are two only where there is root to try.
func writeRow(b *strings.Builder, list []doctor.Check, both bool) {
	cells := [2]string{}
	found := ""
	for _, c := range list {
		column := 0
		if c.As == doctor.AsUser && both {
			column = 1
		}
		cells[column] = map[string]string{
			doctor.Works: "works", doctor.Fails: "FAILS", doctor.Untried: "-",
		}[c.State]
		found = cmp.Or(found, c.Found)
	}
	line := fmt.Sprintf("  %-5s  ", cells[0])
	if both {
		line += fmt.Sprintf("%-5s  ", cells[1])
	}
	line += fmt.Sprintf("%-28s  %s", list[0].Name, found)
	fmt.Fprintln(b, strings.TrimRight(line, " "))
}

func writeFailure(b *strings.Builder, c doctor.Check) {
	as := map[string]string{doctor.AsRoot: "as root: ", doctor.AsUser: "in a user namespace: "}[c.As]
	fmt.Fprintf(b, "%s%s%s\n", indent, as, c.Error)
	fmt.Fprintf(b, "%swithout it: %s\n", indent, c.Loses)
	writeHints(b, c.Hints)
}

// indent is where what is said of a line begins.
const indent = "           "

func writeHints(b *strings.Builder, hints []string) {
	for _, hint := range hints {
		fmt.Fprintf(b, "%shint: %s\n", indent, hint)
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
