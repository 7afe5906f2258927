//go:build linux

package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/lab"
)

func newLabCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Small loads to run inside: a server, a busy loop, memory, processes",
		Long: `Small loads, to see what a container does to them. They run on the host, too;
inside, kit is /bin/kit where the root file system is kit's own. They go on until
SIGTERM or SIGINT (Ctrl-C) ends them, also as PID 1; eat and fork end by themselves
with --exit, burn with --for.`,
		Example: `  kit step 2 -- kit lab serve --addr :8080
  kit step 3 --cpus 0.2 -- kit lab burn --report 1
  kit step 3 --memory 64m -- kit lab eat 200m
  kit step 3 --pids-limit 20 -- kit lab fork 60 --exit`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newServeCommand(), newBurnCommand(), newEatCommand(), newForkCommand())
	return cmd
}

// load runs f, one of the loads.
func load(f func() error) error {
	err := lab.Prepare()
	if err == nil {
		err = f()
	}
	if err != nil {
		err = fmt.Errorf("lab: %w", err)
	}
	return failed(err)
}

func newServeCommand() *cobra.Command {
	var addr string
	var udp bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Answer HTTP with the host name, the address and the pid, a line each",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return load(func() error { return lab.Serve(cmd.OutOrStdout(), addr, udp) })
		},
	}
	cmd.Flags().StringVar(&addr, "addr", ":80", "`[IP]:PORT` to listen on")
	cmd.Flags().BoolVar(&udp, "udp", false, "answer UDP datagrams, too: host name, pid, the datagram")
	return cmd
}

func newBurnCommand() *cobra.Command {
	var every, total float64
	cmd := &cobra.Command{
		Use:   "burn",
		Short: "Keep one CPU busy",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for name, value := range map[string]float64{"report": every, "for": total} {
				if !(value >= 0 && value < 1e9) {
					return fmt.Errorf("--%s %v: not a number of seconds", name, value)
				}
			}
			return load(func() error { return lab.Burn(cmd.OutOrStdout(), seconds(every), seconds(total)) })
		},
	}
	cmd.Flags().Float64Var(&every, "report", 0, "say every so many `seconds` how many CPUs it got")
	cmd.Flags().Float64Var(&total, "for", 0, "end after so many `seconds`")
	return cmd
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

func newEatCommand() *cobra.Command {
	var exit bool
	cmd := &cobra.Command{
		Use:     "eat SIZE",
		Short:   "Use SIZE bytes of memory, and wait for a signal",
		Example: "  kit lab eat 200m",
		Args:    wants("how many bytes? such as 200m"),
		RunE: func(cmd *cobra.Command, args []string) error {
			size, err := units.RAMInBytes(args[0])
			if err != nil {
				return fmt.Errorf("eat %s: %w", args[0], err)
			}
			if size <= 0 {
				return fmt.Errorf("eat %s: not a size; such are 64m, 1g", args[0])
			}
			return load(func() error { return lab.Eat(cmd.OutOrStdout(), size, exit) })
		},
	}
	cmd.Flags().BoolVar(&exit, "exit", false, "do not wait: give the memory back at once")
	return cmd
}

func newForkCommand() *cobra.Command {
	var exit bool
	cmd := &cobra.Command{
		Use:   "fork N",
		Short: "Start up to N processes, say how many it got, and wait for a signal",
		Args:  wants("how many processes?"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.Atoi(args[0])
			if err != nil || n <= 0 {
				return fmt.Errorf("fork %s: not a number of processes", args[0])
			}
			return load(func() error { return lab.Fork(cmd.OutOrStdout(), n, exit) })
		},
	}
	cmd.Flags().BoolVar(&exit, "exit", false, "do not wait: the processes end at once")
	return cmd
}
