//go:build linux

package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/go-units"
	"github.com/spf13/pflag"

	"github.com/containerkit/kit/internal/container"
)

// securityOptions are the flags of step 6.
type securityOptions struct {
	add, drop, opts, ulimits []string
	score                    string
}

func (o *securityOptions) addTo(f *pflag.FlagSet) {
	f.StringArrayVar(&o.add, "cap-add", nil,
		"step 6: keep a capability by `NAME`, or ALL (as root, SYS_TIME sets the host's clock)")
	f.StringArrayVar(&o.drop, "cap-drop", nil, "step 6: take away a capability by `NAME`, or ALL")
	f.StringArrayVar(&o.opts, "security-opt", nil,
		"step 6: `seccomp=default|unconfined|FILE`, no-new-privileges=false, systempaths=unconfined")
	f.StringVar(&o.score, "oom-score-adj", "",
		"step 6: whom to kill first when memory runs out: `-1000..1000`")
	f.StringArrayVar(&o.ulimits, "ulimit", nil, "step 6: limit of one process: `TYPE=SOFT[:HARD]`")
}

// set puts them into the container; one of fewer steps gets nothing.
func (o *securityOptions) set(c *container.Container) (err error) {
	if c.Steps < stepOf("cap-add") {
		return nil
	}
	s := &c.Security
	s.NoNewPrivs, s.Profile = true, "default"
	if s.Capabilities, err = o.capabilities(heldBy(c)); err != nil {
		return err
	}
	for _, opt := range o.opts {
		if err := setSecurityOpt(s, opt); err != nil {
			return err
		}
	}
	if s.Filter, err = filterOf(s, c); err != nil {
		return err
	}
	if s.OOMScore, err = parseScore(o.score); err != nil {
		return err
	}
	s.Ulimits, err = parseUlimits(o.ulimits)
	return err
}

// setSecurityOpt understands docker's --security-opt; the form with a colon is
// docker's old one.
func setSecurityOpt(s *container.Security, opt string) (err error) {
	name, value, given := strings.Cut(opt, "=")
	if !given {
		name, value, given = strings.Cut(opt, ":")
	}
	switch {
	case name == "no-new-privileges" && !given:
		s.NoNewPrivs = true
	case name == "no-new-privileges":
		if s.NoNewPrivs, err = strconv.ParseBool(value); err != nil {
			return fmt.Errorf("--security-opt %s: %q is neither true nor false", opt, value)
		}
	case name == "seccomp" && value == "builtin": // docker's name for it
		s.Profile = "default"
	case name == "seccomp" && value != "":
		s.Profile = value
	case opt == "systempaths=unconfined":
		s.Unmasked = true
	default:
		return fmt.Errorf("--security-opt %s: not one of seccomp=default|unconfined|FILE, "+
			"no-new-privileges=true|false, systempaths=unconfined", opt)
	}
	return nil
}

func parseScore(text string) (*int, error) {
	if text == "" {
		return nil, nil
	}
	score, err := strconv.Atoi(text)
	if err != nil || score < -1000 || score > 1000 {
		return nil, fmt.Errorf("--oom-score-adj %s: not a number from -1000 to 1000", text)
	}
	return &score, nil
}

func parseUlimits(flags []string) ([]container.Ulimit, error) {
	var list []container.Ulimit
	for _, f := range flags {
		u, err := parseUlimit(f)
		if err != nil {
			return nil, fmt.Errorf("--ulimit %s: %w", f, err)
		}
		r, err := u.GetRlimit()
		if err != nil {
			return nil, fmt.Errorf("--ulimit %s: %w", f, err)
		}
		list = append(list, container.Ulimit{
			Name: u.Name, Resource: r.Type, Soft: r.Soft, Hard: r.Hard,
		})
	}
	return list, nil
}

// ulimitTypes are those that docker knows.
const ulimitTypes = "core, cpu, data, fsize, locks, memlock, msgqueue, nice, nofile, nproc, rss, " +
	"rtprio, rttime, sigpending, stack"

// parseUlimit understands TYPE=SOFT[:HARD].
func parseUlimit(flag string) (*units.Ulimit, error) {
	name, limits, given := strings.Cut(flag, "=")
	if !given || limits == "" {
		return nil, errors.New("not of the form TYPE=SOFT[:HARD]")
	}
	if !slices.Contains(strings.Split(ulimitTypes, ", "), name) {
		return nil, fmt.Errorf("there is no type %q; there are %s", name, ulimitTypes)
	}
	for limit := range strings.SplitSeq(limits, ":") {
		if _, err := strconv.ParseInt(limit, 10, 64); err != nil {
			return nil, fmt.Errorf("%q is not a whole number; -1 is no limit", limit)
		}
	}
	return units.ParseUlimit(flag)
}
