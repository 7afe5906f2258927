package doctor

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// Limits is how many limits are tried.
const Limits = 3

// limits are what step 3 may have to do without, with the flag that asks for it.
func limits() [Limits][2]string {
	return [Limits][2]string{
		{"memory", "--memory=64m"}, {"CPU", "--cpus=1"}, {"processes", "--pids-limit=100"},
	}
}

const (
	limitStep = 3 // the step whose flags they are
	netStep   = 5 // the first that changes the host's network
)

// A run is one kit step, and how it ended.
type run struct {
	step  int
	flags []string
	err   string
	hints []string
}

// ladder starts a container of each step with the very command that users type. As
// root that is done in a network namespace of its own, so that the host gets neither
// bridge nor rules.
func (p *place) ladder(ctx context.Context, ladder []container.Step) []Step {
	var runs []run
	for i := range ladder {
		runs = append(runs, run{step: i + 1, hints: []string{}})
	}
	for _, limit := range limits() {
		runs = append(runs, run{step: limitStep, flags: []string{limit[1]}})
	}
	todo := make([]func(), len(runs))
	for i := range runs {
		todo[i] = func() { runs[i].do(ctx, p) }
	}
	atOnce(todo)
	steps := make([]Step, len(ladder))
	for i, s := range ladder {
		steps[i] = runs[i].verdict(s.Name)
	}
	if len(ladder) >= limitStep {
		steps[limitStep-1].without(runs[len(ladder):])
	}
	return steps
}

// verdict says what came of a step.
func (r run) verdict(name string) Step {
	s := Step{
		N: r.step, Name: name, State: Works, As: AsUser, Lacks: []string{},
		Error: r.err, Hints: r.hints,
	}
	if container.Privileged() {
		s.As = AsRoot
	}
	if r.err != "" {
		s.State = Fails
	}
	return s
}

// without takes note of the limits that cannot be had.
func (s *Step) without(runs []run) {
	if s.State != Works {
		return
	}
	for i, r := range runs {
		if r.err != "" {
			s.Lacks = append(s.Lacks, limits()[i][0])
			s.Error, s.Hints = r.err, r.hints
		}
	}
}

// do starts the container.
func (r *run) do(ctx context.Context, p *place) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// Nobody else makes mount points in it meanwhile.
	root, err := p.newRoot()
	if err != nil {
		r.err, r.hints = err.Error(), []string{}
		return
	}
	args := append([]string{"step", strconv.Itoa(r.step), "--trace=off", "--rootfs", root},
		r.flags...)
	cmd := exec.CommandContext(ctx, "/proc/self/exe", append(args, "--", "/true")...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = environment("KIT_CACHE="+p.path("cache"), "KIT_STATE="+p.path("state"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if container.Privileged() && r.step >= netStep {
		cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWNET
	}
	// Asked to end, it cleans up.
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) }
	cmd.WaitDelay = patience
	var said bytes.Buffer
	cmd.Stderr = &said
	if err = cmd.Run(); err == nil {
		return
	}
	r.err, r.hints = parse(said.String())
	if r.err == "" {
		r.err = err.Error()
		if errno := unix.Errno(0); errors.As(err, &errno) {
			failure := &container.CloneError{Flags: cmd.SysProcAttr.Cloneflags, Err: errno}
			r.err, r.hints = failure.Error(), explain(failure)
		}
	}
}

// parse takes kit's error and its hints out of what it has said.
func parse(said string) (problem string, hints []string) {
	hints = []string{}
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if hint, ok := strings.CutPrefix(line, "hint: "); ok {
			hints = append(hints, hint)
		}
		if text, ok := strings.CutPrefix(line, "kit: "); ok {
			problem = text
		}
	}
	return problem, hints
}
