//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/containerkit/kit/internal/script"
	"github.com/containerkit/kit/rootfs"
)

func newScriptCommand() *cobra.Command {
	o := &options{}
	var docker bool
	cmd := &cobra.Command{
		Use:   "script <N|name> [--docker] [flags of kit step] [--] [command [args...]]",
		Short: "The same step as shell commands, which work, or as flags of docker run",
		Long: `Write the container that kit step would make as a shell script: unshare, mount,
pivot_root, lines written to cgroup files, ip, nft, setpriv, with the reasons that
stand in the steps' source. Root can run it; it cleans up after itself. It is for
this machine: its cgroups are v1's or v2's as they are here. With --docker: as a
command line of docker run.`,
		Example: `  kit script 2 >s.sh; sudo sh s.sh /bin/sh -c 'echo $$; hostname'
  kit script 3 --memory 64m
  kit script 6 --docker --publish 8080:80`,
		DisableFlagParsing: true, // as in kit step: -v has two meanings
		RunE: func(cmd *cobra.Command, args []string) error {
			return runScript(cmd, o, args, &docker)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().BoolVar(&docker, "docker", false, "as a command line of docker run")
	o.addTo(cmd.Flags())
	for _, name := range traceFlags() {
		_ = cmd.Flags().MarkHidden(name) // a script has no trace
	}
	return cmd
}

// traceFlags are those of the trace.
func traceFlags() (names []string) {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	(&traceOptions{}).addTo(f, "off")
	f.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// refuseTrace refuses flags about a trace, of which a script has none. --trace=off, as
// it may stand in a command line of kit step, is left alone, and the -v of a volume.
func refuseTrace(flags *pflag.FlagSet) error {
	for _, name := range traceFlags() {
		f := flags.Lookup(name)
		if f.Changed && f.Value.String() != "off" && f.Value.String() != "0" {
			return fmt.Errorf("--%s: a script has no trace; kit step has", name)
		}
	}
	return nil
}

func runScript(cmd *cobra.Command, o *options, args []string, docker *bool) error {
	argv := append([]string{"kit", "script"}, args...)
	// Flags may stand on both sides of the step's number.
	args, err := o.parse(cmd.Flags(), args)
	if err != nil {
		return err
	}
	help := func() bool {
		asked, _ := cmd.Flags().GetBool("help")
		return asked
	}
	if len(args) == 0 {
		if help() {
			return cmd.Help()
		}
		return errors.New("script: of which step? " + ladder())
	}
	n, err := stepNumber(args[0])
	if err != nil {
		return err
	}
	command, err := o.parse(cmd.Flags(), args[1:])
	if err != nil {
		return err
	}
	if help() {
		return cmd.Help()
	}
	if err := refuseLaterFlags(cmd.Flags(), n); err != nil {
		return err
	}
	if err := refuseTrace(cmd.Flags()); err != nil {
		return err
	}
	c, err := o.container(n, command)
	if err != nil {
		return err
	}
	root, err := rootfs.Open(o.rootfs, os.Stderr)
	if err != nil {
		return failed(err)
	}
	c.Root = root.Dir
	if *docker {
		return failed(script.Docker(cmd.OutOrStdout(), c, argv))
	}
	return script.Shell(cmd.OutOrStdout(), c, argv)
}
