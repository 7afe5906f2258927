//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/attack"
	"github.com/containerkit/kit/steps"
)

// attackOptions are the flags of kit attack.
type attackOptions struct {
	matrix bool
	format string
	with   []string
}

func newAttackCommand() *cobra.Command {
	o := &attackOptions{}
	cmd := &cobra.Command{
		Use:   "attack [N|NAME]",
		Short: "Break-outs: what works at each step, and which step stops it",
		Long: `Break-outs and leaks, each a small program that is run inside a container. Without
an argument they are listed; with a name, one is explained and made on every step; with
a number, all are made on that step. Each is made in earnest, but not on this machine: a
stand-in host is set up for the purpose, in namespaces of its own, and goes away again.`,
		Example: `  kit attack double-chroot
  kit attack 6
  kit attack --matrix --with unshare,bwrap,runc`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	cmd.Flags().SortFlags = false
	// The command of double-chroot has flags of its own.
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().BoolVar(&o.matrix, "matrix", false, "make all attacks on all steps")
	cmd.Flags().StringVar(&o.format, "format", "text", "`text|json|html`")
	cmd.Flags().StringSliceVar(&o.with, "with", nil,
		"also on these: `"+strings.Join(attack.Runtimes(), ",")+"`")
	cmd.AddCommand(insideCommands()...)
	return cmd
}

// insideCommands are what kit attack starts.
func insideCommands() []*cobra.Command {
	return []*cobra.Command{
		{
			Use: "run NAME", Hidden: true, Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return failed(attack.Run(cmd.OutOrStdout(), args[0]))
			},
		},
		{
			Use: "stand-in", Hidden: true, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return failed(standIn(cmd.OutOrStdout()))
			},
		},
		{
			Use: "victim", Hidden: true, Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return failed(beVictim()) },
		},
		{
			Use: "euid", Hidden: true, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), os.Geteuid())
				return err
			},
		},
	}
}

// beVictim waits to be attacked, and ends with who has started it.
func beVictim() error {
	if os.Getppid() != 1 {
		return attack.ErrUnsafe
	}
	for {
		_, _ = unix.Ppoll(nil, nil, nil)
	}
}

func (o *attackOptions) run(cmd *cobra.Command, args []string) error {
	if !slices.Contains([]string{"text", "json", "html"}, o.format) {
		return fmt.Errorf("--format %s: not one of text, json, html", o.format)
	}
	for _, name := range o.with {
		if !slices.Contains(attack.Runtimes(), name) {
			return fmt.Errorf("--with %s: not one of %s", name, strings.Join(attack.Runtimes(), ", "))
		}
	}
	if len(args) > 0 && args[0] == "double-chroot" && (len(args) > 1 || inChroot()) {
		return doubleChroot(args[1:])
	}
	switch {
	case len(args) > 1:
		return fmt.Errorf("attack %s: one name or one step", strings.Join(args, " "))
	case len(args) == 1 && o.matrix:
		return fmt.Errorf("--matrix: has all attacks: without %s", args[0])
	case o.matrix:
		return o.show(cmd, attack.All(), ladderPlaces(1, len(steps.All)))
	case len(args) == 0 && (o.format != "text" || len(o.with) > 0):
		return errors.New("--format, --with: need --matrix, a name or a step")
	case len(args) == 0:
		return listAttacks(cmd.OutOrStdout())
	}
	if a := attack.Find(args[0]); a != nil {
		return o.show(cmd, []*attack.Attack{a}, ladderPlaces(1, len(steps.All)))
	}
	n, err := stepNumber(args[0])
	if err != nil {
		return fmt.Errorf("attack %s: neither the name of one (kit attack lists them) nor a step",
			args[0])
	}
	return o.show(cmd, attack.All(), ladderPlaces(n, n))
}

// ladderPlaces are the host, with which the steps are compared, and steps from to to.
func ladderPlaces(from, to int) []string {
	places := []string{attack.PlaceHost}
	for n := from; n <= to; n++ {
		places = append(places, strconv.Itoa(n))
	}
	return places
}

// inChroot tells that "/" is no mount point, which it is on any host and in any
// container from step 2 on.
func inChroot() bool {
	var st unix.Statx_t
	const want = unix.STATX_BASIC_STATS
	if err := unix.Statx(unix.AT_FDCWD, "/", 0, want, &st); err != nil {
		return false
	}
	return st.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT != 0 &&
		st.Attributes&unix.STATX_ATTR_MOUNT_ROOT == 0
}

// doubleChroot is the attack as a command inside: it goes on outside.
func doubleChroot(args []string) error {
	if err := attack.DoubleChroot(); err != nil {
		return failed(fmt.Errorf("double chroot: %w", err))
	}
	fmt.Println("outside")
	if len(args) == 0 {
		return nil
	}
	err := syscall.Exec(args[0], args, os.Environ())
	return failed(fmt.Errorf("execve %s: %w", args[0], err))
}
