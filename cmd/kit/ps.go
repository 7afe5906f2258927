//go:build linux

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/cgroup"
	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/state"
)

func newPsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ps [--json]",
		Short: "List your containers",
		Long: `List your containers. STATUS is one of

  starting  kit builds it; its command does not run yet
  running
  paused    by kit pause
  ending    its first process has ended; kit removes what belonged to it
  stale     kit was killed; kit clean removes what is left of it

PID is that of the first process, as the host sees it. ADDRESS is on the containers'
bridge.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := state.List()
			if err != nil {
				return failed(fmt.Errorf("ps: %w", err))
			}
			if asJSON {
				return failed(writePsJSON(cmd.OutOrStdout(), all))
			}
			return failed(writePsTable(cmd.OutOrStdout(), cmd.ErrOrStderr(), all))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON array")
	return cmd
}

// A listed is a container as kit ps tells it.
type listed struct {
	Name    string    `json:"name"`
	Pid     int       `json:"pid"` // 0: there is no first process
	Step    int       `json:"step"`
	Created time.Time `json:"created"`
	Status  string    `json:"status"`  // as in the help of kit ps
	Address string    `json:"address"` // on the bridge; "": it is not there
	Command []string  `json:"command"`
	Rootfs  string    `json:"rootfs"`
	KitPid  int       `json:"kit_pid"`
}

func newListed(s state.State) listed {
	l := listed{
		Name: s.Name, Pid: s.Pid, Step: s.Step, Created: s.Created, Status: statusOf(s),
		Command: append([]string{}, s.Command...), Rootfs: s.Rootfs, KitPid: s.KitPid,
	}
	c := &container.Container{}
	if json.Unmarshal(s.Container, c) == nil && c.Net.Address.IsValid() {
		l.Address = c.Net.Address.Addr().String()
	}
	if !s.Running() {
		l.Pid = 0 // the number may be another process's by now
	}
	return l
}

func statusOf(s state.State) string {
	switch {
	case s.Stale():
		return "stale"
	case s.Pid == 0:
		return "starting"
	case !s.Running():
		return "ending"
	}
	if dirs, err := cgroupsOf(s); err == nil {
		if use, err := cgroup.Read(dirs); err == nil && use.Frozen {
			return "paused"
		}
	}
	return "running"
}

func writePsJSON(w io.Writer, all []state.State) error {
	list := []listed{}
	for _, s := range all {
		list = append(list, newListed(s))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(list)
}

func writePsTable(w, hints io.Writer, all []state.State) error {
	stale := false
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tPID\tSTEP\tAGE\tSTATUS\tADDRESS\tCOMMAND")
	for _, s := range all {
		l := newListed(s)
		stale = stale || l.Status == "stale"
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Name, orDash(l.Pid), orDash(l.Step),
			age(l.Created), l.Status, cmp.Or(l.Address, "-"), shown(l.Command))
	}
	err := t.Flush()
	if stale && err == nil {
		_, err = fmt.Fprintln(hints, "hint: kit clean removes what is left of stale ones")
	}
	return err
}

func orDash(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func age(created time.Time) string {
	if created.IsZero() {
		return "-"
	}
	return units.HumanDuration(max(0, time.Since(created)))
}

// shown is a command in one line that no terminal takes for anything else.
func shown(command []string) string {
	const width = 40
	words := make([]string, len(command))
	for i, word := range command {
		words[i] = word
		if quoted := strconv.Quote(word); word == "" || quoted[1:len(quoted)-1] != word {
			words[i] = quoted
		}
	}
	line := []rune(strings.Join(words, " "))
	if len(line) > width {
		line = append(line[:width-3], []rune("...")...)
	}
	return string(line)
}
