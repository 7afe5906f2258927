//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/rootfs"
	"github.com/containerkit/kit/steps"
)

// options are the flags of kit step.
type options struct {
	rootfs, name, workdir, user string
	env, volumes                []string
	tty, init                   bool
	hostname, userns, ipc, pid  string
	timeOffset                  time.Duration
	limits                      limitOptions    // step 3
	layers                      layerOptions    // step 4
	network                     networkOptions  // step 5
	security                    securityOptions // step 6
	traceOptions
}

// stepOf is the first step that understands a flag; the flags of the trace,
// which belong to all, are not in it.
func stepOf(flag string) int {
	switch flag {
	case "hostname", "volume", "init", "userns", "ipc", "pid", "time-offset":
		return 2
	case "memory", "memory-reservation", "cpus", "cpu-weight", "cpuset-cpus", "pids-limit",
		"device-read-bps", "device-write-bps", "device":
		return 3
	case "layer", "upper", "diff":
		return 4
	case "net", "publish", "ip", "dns":
		return 5
	case "cap-add", "cap-drop", "security-opt", "oom-score-adj", "ulimit":
		return 6
	}
	return 1
}

func newStepCommand() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "step <N|name> [flags] [--] [command [args...]]",
		Short: "Run a command in a container built from steps 1 to N (default /bin/sh)",
		Long: `Run a command in a container built from steps 1 to N of the ladder, and show
every kernel call that builds it. The command is /bin/sh unless one is given.
` + followHelp,
		Example: `  kit step 1 -- /bin/sh -c 'ls /'
  kit step namespaces --hostname box -- ps
  kit step 2 -t --trace=off`,
		// -v has two meanings, which only parse can tell apart.
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStep(cmd, o, args)
		},
	}
	cmd.Flags().SortFlags = false
	// The command's own flags are not kit's.
	cmd.Flags().SetInterspersed(false)
	o.addTo(cmd.Flags())
	return cmd
}

func (o *options) addTo(f *pflag.FlagSet) {
	f.StringVar(&o.rootfs, "rootfs", "", "root file system: `DIR`, tar, or name in kit rootfs ls")
	f.StringVar(&o.name, "name", "", "`name` of the container")
	f.StringArrayVarP(&o.env, "env", "e", nil, "environment variable `NAME[=value]` for the command")
	f.StringVarP(&o.workdir, "workdir", "w", "", "working `directory` inside")
	f.StringVarP(&o.user, "user", "u", "", "run as `uid|name[:gid|group]` of the container")
	f.BoolVarP(&o.tty, "tty", "t", false, "give the command a terminal of its own")
	f.StringVar(&o.hostname, "hostname", "", "step 2: host `name` (default: the container's)")
	f.StringArrayVar(&o.volumes, "volume", nil,
		"step 2: show SRC of the host as DST inside: `SRC:DST[:ro]`; also -v SRC:DST")
	f.BoolVar(&o.init, "init", false, "step 2: keep kit as PID 1, to forward signals and reap")
	f.StringVar(&o.userns, "userns", "auto", "step 2: user namespace: `auto|host|remap`")
	f.StringVar(&o.ipc, "ipc", "private", "step 2: IPC namespace: `private|host|container:NAME`")
	f.StringVar(&o.pid, "pid", "private", "step 2: PID namespace: `private|host|container:NAME`")
	f.DurationVar(&o.timeOffset, "time-offset", 0,
		"step 2: let the clocks since boot run ahead by `duration`")
	o.limits.addTo(f)
	o.layers.addTo(f)
	o.network.addTo(f)
	o.security.addTo(f)
	o.traceOptions.addTo(f, "steps")
}

// parse reads flags up to the first argument that is none, and returns the
// rest. It tells the two meanings of -v apart: docker's -v SRC:DST is a volume,
// a bare -v is verbosity.
func (o *options) parse(flags *pflag.FlagSet, args []string) ([]string, error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		rest := flags.Args()
		at := len(args) - len(rest)
		if len(rest) == 0 || at == 0 || args[at-1] != "-v" || !strings.Contains(rest[0], ":") {
			return rest, nil
		}
		o.verbosity--
		if err := flags.Set("volume", rest[0]); err != nil {
			return nil, err
		}
		args = rest[1:]
	}
}

func runStep(cmd *cobra.Command, o *options, args []string) error {
	// Flags may stand on both sides of the step's number.
	args, err := o.parse(cmd.Flags(), args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return stepMissing(cmd)
	}
	n, err := stepNumber(args[0])
	if err != nil {
		return err
	}
	command, err := o.parse(cmd.Flags(), args[1:])
	if err != nil {
		return err
	}
	if help, _ := cmd.Flags().GetBool("help"); help {
		return cmd.Help()
	}
	if err := refuseLaterFlags(cmd.Flags(), n); err != nil {
		return err
	}
	if cmd.Flags().Changed("name") && o.name == "" {
		return errors.New("--name: the name is empty")
	}
	if err := o.check(); err != nil {
		return err
	}
	c, err := o.container(n, command)
	if err != nil {
		return err
	}
	out, err := o.traceFile()
	if err != nil {
		return failed(err)
	}
	root, err := rootfs.Open(o.rootfs, os.Stderr)
	if err != nil {
		return failed(err)
	}
	c.Root = root.Dir
	if err := checkLayers(c); err != nil {
		return err
	}
	if err := container.CleanStale(c.Name, steps.All); err != nil {
		return failed(err)
	}
	if err := container.CleanStaleNets(c, steps.All); err != nil {
		return failed(err)
	}
	return o.run(c, out)
}

func (o *options) run(c *container.Container, out *os.File) error {
	err := o.show(c, out, func(noTrace error) (int, error) {
		if noTrace != nil {
			tellUntraced(noTrace, "; the steps' source in its place")
			for n := 1; n <= c.Steps; n++ {
				_ = diff(os.Stderr, n-1, n, false) // nobody may be there to read it
			}
		}
		exit, err := container.Run(c, steps.All[:c.Steps])
		note(c.Notes)
		return exit, err
	})
	if status := (*statusError)(nil); errors.As(err, &status) {
		noteFilter(c, status.exit, status.err)
		noteKilled(c, status.exit)
		if status.err != nil && status.exit == 125 && len(o.inject.list) == 0 {
			signal.Reset() // the container has gone: who does not want to wait need not
			status.err = consult(c, status.err)
		}
	}
	return err
}

// stepMissing is kit step without a number: a call for help, or half a command.
func stepMissing(cmd *cobra.Command) error {
	if help, _ := cmd.Flags().GetBool("help"); help {
		return cmd.Help()
	}
	return errors.New("step: which one? " + ladder())
}

// stepNumber understands "2" and "namespaces".
func stepNumber(arg string) (int, error) {
	for i, s := range steps.All {
		if arg == s.Name {
			return i + 1, nil
		}
	}
	n, err := strconv.Atoi(arg)
	if err != nil || n < 1 || n > len(steps.All) {
		return 0, fmt.Errorf("step %s: there is no such step; %s", arg, ladder())
	}
	return n, nil
}

// ladder names the steps there are.
func ladder() string {
	names := make([]string, len(steps.All))
	for i, s := range steps.All {
		names[i] = fmt.Sprintf("%d (%s)", i+1, s.Name)
	}
	return "the ladder has " + strings.Join(names, ", ")
}

func refuseLaterFlags(flags *pflag.FlagSet, n int) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if s := stepOf(f.Name); s > n && err == nil {
			err = fmt.Errorf("--%s belongs to step %d (%s); this is step %d",
				f.Name, s, steps.All[s-1].Name, n)
		}
	})
	return err
}
