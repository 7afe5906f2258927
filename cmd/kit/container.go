//go:build linux

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/state"
)

// container makes out of the command line what the engine works on. Everything
// that can be refused before a process is started is refused here.
func (o *options) container(n int, command []string) (*container.Container, error) {
	if len(command) == 0 {
		command = []string{"/bin/sh"}
	}
	if command[0] == "" {
		return nil, errors.New("step: the command is empty")
	}
	for _, arg := range append(command, o.env...) {
		if !utf8.ValidString(arg) { // JSON, in which it goes to the child, has nothing else
			return nil, fmt.Errorf("argument %q: not UTF-8", arg)
		}
	}
	c := &container.Container{
		Steps: n, Args: command, Name: o.name, Hostname: o.hostname, Workdir: o.workdir,
		User: o.user, TTY: o.tty, Init: o.init, Time: o.timeOffset,
		Window:     container.WindowSize(),
		Foreground: !o.tty && container.HoldsTerminal(),
	}
	if c.Named = c.Name != ""; !c.Named {
		c.Name = randomName()
	} else if err := checkFree(c.Name); err != nil {
		return nil, err
	}
	if c.Hostname == "" {
		c.Hostname = c.Name
	}
	if err := checkName(c.Hostname); err != nil {
		return nil, fmt.Errorf("--hostname %s: %w", c.Hostname, err)
	}
	for _, set := range []func(*container.Container) error{
		o.setNamespaces, o.limits.set, o.layers.set, o.network.set, o.security.set,
	} {
		if err := set(c); err != nil {
			return nil, err
		}
	}
	var err error
	c.Env, err = commandEnv(o.env, c)
	return c, err
}

// setNamespaces puts the flags of step 2 into the container.
func (o *options) setNamespaces(c *container.Container) (err error) {
	if c.Volumes, err = parseVolumes(o.volumes); err != nil {
		return err
	}
	switch c.UserNS = container.UserNS(o.userns); c.UserNS {
	case container.UserNSAuto, container.UserNSHost, container.UserNSRemap:
	default:
		return fmt.Errorf("--userns %s: not one of auto, host, remap", o.userns)
	}
	if c.IPC, err = parseSharing("ipc", o.ipc); err != nil {
		return err
	}
	if c.PID, err = parseSharing("pid", o.pid); err != nil {
		return err
	}
	if o.init && !c.PID.Own() {
		return errors.New("--init: needs a PID namespace of its own (--pid private)")
	}
	return checkOffset(o.timeOffset)
}

// checkFree refuses a name that is none, or that a running container has.
func checkFree(name string) error {
	if err := state.ValidName(name); err != nil {
		return err
	}
	return failed(state.Free(name))
}

// checkOffset refuses clocks that would stand before the time of boot, which the
// kernel does not allow either (time_namespaces(7)).
func checkOffset(offset time.Duration) error {
	var boot unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &boot); err != nil {
		return nil // the kernel will say what is wrong
	}
	if offset+time.Duration(boot.Nano()) < 0 {
		return fmt.Errorf("--time-offset %v: the clock would stand before boot", offset)
	}
	return nil
}

// checkName refuses what cannot be a host name (hostname(7)).
func checkName(name string) error {
	if len(name) > 63 {
		return errors.New("longer than 63 characters")
	}
	for _, r := range name {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.", r) {
			return fmt.Errorf("%q cannot be part of a host name", r)
		}
	}
	return nil
}

// randomName is the name of a container that was given none.
func randomName() string {
	return fmt.Sprintf("kit-%06x", rand.N(1<<24))
}

// commandEnv is what the command gets besides PATH, HOME and HOSTNAME.
func commandEnv(flags []string, c *container.Container) ([]string, error) {
	var env []string
	if t, ok := os.LookupEnv("TERM"); ok {
		env = append(env, "TERM="+t)
	}
	if c.TTY || term.IsTerminal(0) {
		env = append(env, "PS1="+container.Prompt(c.Steps, c.Name))
	}
	for _, e := range flags {
		name, _, given := strings.Cut(e, "=")
		if name == "" {
			return nil, fmt.Errorf("--env %q: no name before the =", e)
		}
		if !given {
			value, ok := os.LookupEnv(name)
			if !ok {
				continue // as in docker: a name that is not set here is not set there
			}
			e = name + "=" + value
		}
		env = append(env, e)
	}
	return env, nil
}

// parseVolumes understands SRC:DST[:ro].
func parseVolumes(flags []string) ([]container.Volume, error) {
	var volumes []container.Volume
	for _, f := range flags {
		parts := strings.Split(f, ":")
		if len(parts) < 2 || len(parts) > 3 || parts[0] == "" || parts[1] == "" {
			return nil, fmt.Errorf("--volume %s: not of the form SRC:DST[:ro]", f)
		}
		v := container.Volume{Target: path.Clean(parts[1])}
		if len(parts) == 3 {
			if parts[2] != "ro" && parts[2] != "rw" {
				return nil, fmt.Errorf("--volume %s: %q is neither ro nor rw", f, parts[2])
			}
			v.ReadOnly = parts[2] == "ro"
		}
		if !path.IsAbs(v.Target) || v.Target == "/" {
			return nil, fmt.Errorf("--volume %s: %s must be an absolute path below /", f, parts[1])
		}
		source, err := filepath.Abs(parts[0])
		if err == nil {
			source, err = filepath.EvalSymlinks(source)
		}
		if err != nil {
			return nil, fmt.Errorf("--volume %s: %w", f, err)
		}
		v.Source = source
		volumes = append(volumes, v)
	}
	return volumes, nil
}

// parseSharing understands private, host and container:NAME.
func parseSharing(flag, value string) (container.Sharing, error) {
	switch value {
	case "private":
		return container.Sharing{}, nil
	case "host":
		return container.Sharing{Host: true}, nil
	}
	if name, ok := strings.CutPrefix(value, "container:"); ok && name != "" {
		s, err := state.Load(name)
		if err != nil {
			return container.Sharing{}, failed(fmt.Errorf("--%s %s: %w", flag, value, err))
		}
		return container.Sharing{Pid: s.Pid}, nil
	}
	return container.Sharing{}, fmt.Errorf("--%s %s: not one of private, host, container:NAME",
		flag, value)
}
