//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/state"
)

// enterOptions are the flags of kit enter.
type enterOptions struct {
	env           []string
	workdir, user string
	tty           bool
	traceOptions
}

func newEnterCommand() *cobra.Command {
	o := &enterOptions{}
	cmd := &cobra.Command{
		Use:   "enter NAME [flags] [--] [command [args...]]",
		Short: "Run a command in a container that runs (default /bin/sh)",
		Long: `Run a command in a container that runs: in its namespaces, its cgroups and its root
directory, and with the capabilities, the filter and the user that its own command
was given. The exit status is that of the command, as for kit step.`,
		Example: `  kit step 6 --name box
  kit enter box -t
  kit enter box -- ps
  kit enter box --trace=steps -- true`,
		Args: func(cmd *cobra.Command, args []string) error {
			return wants(whichContainer)(cmd, args[:min(len(args), 1)])
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			// Flags may stand on both sides of the name.
			if err := cmd.Flags().Parse(args[1:]); err != nil {
				return err
			}
			return o.run(name, cmd.Flags().Args())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	// The command's own flags are not kit's.
	f.SetInterspersed(false)
	f.StringArrayVarP(&o.env, "env", "e", nil, "environment variable `NAME[=value]` for the command")
	f.StringVarP(&o.workdir, "workdir", "w", "", "working `directory` inside")
	f.StringVarP(&o.user, "user", "u", "", "run as `uid|name[:gid|group]` of the container")
	f.BoolVarP(&o.tty, "tty", "t", false, "give the command a terminal of its own")
	o.addTo(f, "off")
	return cmd
}

func (o *enterOptions) run(name string, command []string) error {
	if len(command) == 0 {
		command = []string{"/bin/sh"}
	}
	if command[0] == "" {
		return errors.New("enter: the command is empty")
	}
	for _, arg := range append(command, o.env...) {
		if !utf8.ValidString(arg) { // JSON, in which it goes to the child, has nothing else
			return fmt.Errorf("argument %q: not UTF-8", arg)
		}
	}
	if err := o.check(); err != nil {
		return err
	}
	s, err := state.Load(name)
	if err == nil && statusOf(s) == "paused" {
		err = errors.New("it is paused, and so would be the command")
	}
	if err != nil {
		return failed(fmt.Errorf("enter %s: %w", name, err))
	}
	c := &container.Container{}
	if err := json.Unmarshal(s.Container, c); err != nil {
		return failed(fmt.Errorf("state of %s: %w", name, err))
	}
	c.Name, c.First = name, container.Process{Pid: s.Pid, Start: s.StartTime}
	if err := o.change(c, command); err != nil {
		return err
	}
	out, err := o.traceFile()
	if err != nil {
		return failed(err)
	}
	return o.show(c, out, func(noTrace error) (int, error) {
		if noTrace != nil {
			tellUntraced(noTrace, "")
		}
		exit, err := container.Enter(c)
		if err != nil {
			err = fmt.Errorf("enter %s: %w", name, err)
		}
		return exit, err
	})
}

// change puts the command in place of the container's own. What is not said is as
// it was for that one.
func (o *enterOptions) change(c *container.Container, command []string) error {
	c.Args, c.TTY, c.Window = command, o.tty, container.WindowSize()
	c.Foreground = !o.tty && c.Devpts && container.HoldsTerminal()
	if o.workdir != "" {
		c.Workdir = o.workdir
	}
	if o.user != "" {
		c.User = o.user
	}
	env, err := commandEnv(o.env, c)
	c.Env = append(c.Env, env...)
	return err
}
