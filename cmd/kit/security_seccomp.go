//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/seccomp"
)

// filterOf makes the filter of the chosen profile, which depends on the
// capabilities too.
func filterOf(s *container.Security, c *container.Container) ([]byte, error) {
	names := capabilityNames(s.Capabilities)
	switch s.Profile {
	case "unconfined":
		return nil, nil
	case "default":
		return seccomp.Default(names)
	}
	text, err := os.ReadFile(s.Profile)
	if err != nil {
		return nil, fmt.Errorf("--security-opt seccomp=%s: %w", s.Profile, err)
	}
	filter, err := seccomp.Parse(text, names)
	if err == nil {
		err = checkFilter(filter, c)
	}
	if err != nil {
		return nil, fmt.Errorf("--security-opt seccomp=%s: %w", s.Profile, err)
	}
	if unknown := seccomp.Unknown(text); len(unknown) > 0 {
		note([]string{fmt.Sprintf("--security-opt seccomp=%s: passed over, since kit knows no such "+
			"system call: %s", s.Profile, strings.Join(unknown, ", "))})
	}
	return filter, nil
}

// A need is what comes after the filter, and so must be let through by it.
type need struct {
	calls string // names
	why   string
}

// needs are those of a container.
func needs(c *container.Container) []need {
	list := []need{
		{"execve", "without it no command starts"},
		{"exit_group", "without it no program ends"},
	}
	if !c.Security.NoNewPrivs {
		list = append(list, need{
			"capset futex nanosleep sched_yield mmap rt_sigprocmask tgkill",
			"with no-new-privileges=false kit goes on under the filter, and needs it",
		})
		if c.User != "" {
			list = append(list, need{
				"setgroups setresgid setresuid prctl poll ppoll",
				"with no-new-privileges=false kit becomes the user under the filter, and needs it",
			})
		}
	}
	if c.Init {
		list = append(list, need{
			`clone close epoll_ctl epoll_pwait eventfd2 fcntl futex getpid gettid kill madvise mmap
			munmap nanosleep pipe2 prctl prlimit64 read rt_sigaction rt_sigprocmask rt_sigreturn
			sched_yield sigaltstack tgkill wait4 write`,
			"with --init kit stays under the filter as PID 1, and needs it",
		})
	}
	return list
}

// checkFilter refuses a profile under which not even the command could be started.
func checkFilter(filter []byte, c *container.Container) error {
	for _, n := range needs(c) {
		for call := range strings.FieldsSeq(n.calls) {
			if !seccomp.Allows(filter, call, 0) {
				return fmt.Errorf("it denies %s: %s", call, n.why)
			}
		}
	}
	for _, status := range []uint64{1, 2, 125, 126, 127} { // kit's own, and its runtime's
		if !seccomp.Allows(filter, "exit_group", status) {
			return fmt.Errorf("it denies exit_group(%d): what has failed must be able to end", status)
		}
	}
	if seccomp.Kills(filter, "prlimit64") {
		return fmt.Errorf("it kills for prlimit64, with which kit gives the command its limit " +
			"on open files: allow it, or let it fail (SCMP_ACT_ERRNO)")
	}
	return nil
}

// crashed is the exit status of a Go program that its runtime ends.
const crashed = 2

// noteFilter says what may have come of a profile of the user's, where nobody else can.
func noteFilter(c *container.Container, exit int, err error) {
	s := c.Security
	if len(s.Filter) == 0 || s.Profile == "default" || err != nil {
		return
	}
	switch {
	case exit == 128+int(unix.SIGSYS):
		note([]string{fmt.Sprintf("SIGSYS: the seccomp profile %s kills for a system call that the "+
			"command has made", s.Profile)})
	case (exit == 126 || exit == crashed) && !seccomp.Allows(s.Filter, "sendto", 0):
		note([]string{fmt.Sprintf("exit status %d: the command's own, or it could not be executed; "+
			"the seccomp profile %s denies sendto, with which kit would have said why",
			exit, s.Profile)})
	}
}
