// Package seccomp makes a filter for the kernel out of a profile in the form that
// Docker has: which system calls a container may make, by name, under conditions
// on its capabilities, on the machine and on the arguments.
//
// It decides as runc with libseccomp does, see rule.go; the profile that Docker
// uses comes from github.com/moby/profiles.
package seccomp

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Default returns the filter of Docker's own profile for a container with
// capabilities, given as CAP_CHOWN; it also keeps it from typing into its caller's
// terminal. A filter is what seccomp(2) takes: an array of struct sock_filter, 8
// bytes an instruction.
func Default(capabilities []string) ([]byte, error) {
	p, err := seccomp.GetDefaultProfile(spec(capabilities))
	if err != nil {
		return nil, err
	}
	keepOffTerminal(p)
	return compile(p)
}

// Parse returns the filter of a profile in Docker's JSON. An error tells the place. One
// without a default is refused, where Docker takes an empty profile for none at all.
func Parse(text []byte, capabilities []string) ([]byte, error) {
	p, err := parse(text, capabilities)
	if err != nil {
		return nil, err
	}
	return compile(p)
}

func parse(text []byte, capabilities []string) (*specs.LinuxSeccomp, error) {
	var whole seccomp.Seccomp
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, located(text, err)
	}
	if err := check(&whole); err != nil {
		return nil, err
	}
	return seccomp.LoadProfile(string(text), spec(capabilities))
}

// spec is what conditions on capabilities look at.
func spec(capabilities []string) *specs.Spec {
	return &specs.Spec{Process: &specs.Process{
		Capabilities: &specs.LinuxCapabilities{Bounding: capabilities},
	}}
}

// located adds line and column to an error in JSON.
func located(text []byte, err error) error {
	offset := int64(-1)
	if e := (*json.SyntaxError)(nil); errors.As(err, &e) {
		offset = e.Offset
	}
	if e := (*json.UnmarshalTypeError)(nil); errors.As(err, &e) {
		offset = e.Offset
	}
	if offset < 0 || offset > int64(len(text)) {
		return err
	}
	before := string(text[:offset])
	line := 1 + strings.Count(before, "\n")
	column := len(before) - strings.LastIndex(before, "\n") - 1
	return fmt.Errorf("line %d column %d: %w", line, column, err)
}

// check refuses what no kernel, or only one with help from a daemon, could do. It
// looks at all rules, those too that do not apply here.
func check(p *seccomp.Seccomp) error {
	if p.DefaultAction == "" {
		return errors.New("defaultAction: there is none")
	}
	if _, err := result(p.DefaultAction, p.DefaultErrnoRet); err != nil {
		return fmt.Errorf("defaultAction: %w", err)
	}
	for _, a := range p.Architectures {
		if !strings.HasPrefix(string(a), "SCMP_ARCH_") {
			return fmt.Errorf("architectures: %s: no such architecture", a)
		}
	}
	for _, f := range p.Flags {
		if !slices.Contains(flags(), f) {
			return fmt.Errorf("flags: %s: not supported", f)
		}
	}
	if p.ListenerPath != "" {
		return fmt.Errorf("listenerPath: %s: kit asks nobody", p.ListenerPath)
	}
	for i, s := range p.Syscalls {
		if s == nil {
			return fmt.Errorf("syscalls[%d]: it is null", i)
		}
		if err := checkRule(s); err != nil {
			return fmt.Errorf("syscalls[%d] (%s): %w", i, strings.Join(shorten(s), ", "), err)
		}
	}
	return nil
}

// flags are those of seccomp(2) that a profile may have. They are not passed on: kit
// applies a filter to all threads anyway, and leaves logging and speculation as the
// machine has them.
func flags() []specs.LinuxSeccompFlag {
	return []specs.LinuxSeccompFlag{
		"SECCOMP_FILTER_FLAG_TSYNC", specs.LinuxSeccompFlagLog, specs.LinuxSeccompFlagSpecAllow,
	}
}

func checkRule(s *seccomp.Syscall) error {
	if len(names(s)) == 0 {
		return errors.New("names: there is none")
	}
	if _, err := result(s.Action, s.ErrnoRet); err != nil {
		return fmt.Errorf("action: %w", err)
	}
	for i, a := range s.Args {
		if a.Index > 5 {
			return fmt.Errorf("args[%d]: index %d: a call has arguments 0 to 5", i, a.Index)
		}
		if (condition{a, false}).test(nil) == nil {
			return fmt.Errorf("args[%d]: op %q: no such operator", i, a.Op)
		}
	}
	return nil
}

// names are the calls that a rule is about.
func names(s *seccomp.Syscall) []string {
	//nolint:staticcheck // old profiles have a single name
	if name := s.Name; name != "" {
		return append([]string{name}, s.Names...)
	}
	return s.Names
}

// shorten names a rule by its first calls.
func shorten(s *seccomp.Syscall) []string {
	list := names(s)
	if len(list) > 2 {
		return []string{list[0], list[1], "..."}
	}
	return list
}

// result is what a filter returns for an action (seccomp(2)). Errno is EPERM
// unless the profile gives another.
func result(a specs.LinuxSeccompAction, errno *uint) (uint32, error) {
	data := uint32(unix.EPERM)
	if errno != nil {
		if *errno > 4095 { // MAX_ERRNO
			return 0, fmt.Errorf("errnoRet %d: more than 4095", *errno)
		}
		data = uint32(*errno)
	}
	switch a {
	case specs.ActAllow:
		return unix.SECCOMP_RET_ALLOW, nil
	case specs.ActErrno:
		return unix.SECCOMP_RET_ERRNO | data, nil
	case specs.ActKill, specs.ActKillThread:
		return unix.SECCOMP_RET_KILL_THREAD, nil
	case specs.ActKillProcess:
		return unix.SECCOMP_RET_KILL_PROCESS, nil
	case specs.ActTrap:
		return unix.SECCOMP_RET_TRAP, nil
	case specs.ActTrace:
		return unix.SECCOMP_RET_TRACE | data, nil
	case specs.ActLog:
		return unix.SECCOMP_RET_LOG, nil
	case specs.ActNotify:
		return 0, fmt.Errorf("%s: kit has no agent to ask", a)
	}
	return 0, fmt.Errorf("%q: no such action", a)
}
