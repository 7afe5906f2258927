//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/check"
	"github.com/containerkit/kit/internal/doctor"
	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/rootfs"
	"github.com/containerkit/kit/steps"
)

// checkDir grades a lab that kit new has written: it builds it, has it start a container
// at each step, and looks at that from outside.
func checkDir(dir string, o *checkOptions) error {
	for _, part := range []string{"go.mod", "main.go", "steps"} {
		if _, err := os.Stat(filepath.Join(dir, part)); err != nil {
			return fmt.Errorf("check %s: not a lab of kit new's: %s is not there", dir, part)
		}
	}
	if _, err := exec.LookPath("go"); err != nil {
		return failed(fmt.Errorf("check %s: %w", dir, err))
	}
	l, err := newLabGrader()
	if err != nil {
		return failed(fmt.Errorf("check %s: %w", dir, err))
	}
	defer l.close()
	// Whoever is interrupted leaves nothing running either.
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	g := &grade{Version: 1, Dir: dir, Steps: len(steps.All)}
	first := 1
	if o.step != 0 {
		first, g.Steps = o.step, o.step
	}
	broken := l.build(ctx, dir)
	for n := first; n <= g.Steps; n++ {
		items := itemsOf(check.List(n), n)
		switch {
		case broken != "":
			explain(items, "it does not compile: "+broken)
		default:
			items = l.grade(ctx, n, items)
		}
		if ctx.Err() != nil {
			return &statusError{exit: 128 + int(unix.SIGINT)}
		}
		g.Items = append(g.Items, items...)
	}
	return g.write(o)
}

func itemsOf(all []check.Item, step int) (items []check.Item) {
	for _, i := range all {
		if i.Step == step {
			items = append(items, i)
		}
	}
	return items
}

func explain(items []check.Item, why string) {
	for i := range items {
		items[i].Got = why
	}
}

// A labGrader runs the program of a lab, with a state directory of its own.
type labGrader struct {
	tmp, program, root string
	verdicts           []doctor.Step // what kit's own steps can do here
	limits             bool
}

func newLabGrader() (*labGrader, error) {
	root, err := rootfs.Open("", os.Stderr)
	if err != nil {
		return nil, err
	}
	verdicts, err := doctor.Ladder(context.Background(), steps.All)
	if err != nil {
		return nil, err
	}
	// What a lab's process leaves behind becomes our child, and so is found.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("prctl PR_SET_CHILD_SUBREAPER: %w", err)
	}
	tmp, err := os.MkdirTemp("", "kit-check")
	if err != nil {
		return nil, err
	}
	cgroups := verdicts[limitStep-1]
	return &labGrader{
		tmp: tmp, program: filepath.Join(tmp, "lab"), root: root.Dir, verdicts: verdicts,
		limits: cgroups.State == doctor.Works && len(cgroups.Lacks) == 0,
	}, nil
}

// limitStep is the step that a machine may have in part.
const limitStep = 3

func (l *labGrader) close() { _ = os.RemoveAll(l.tmp) }

// build makes the lab's program, and returns what the compiler has against it.
func (l *labGrader) build(ctx context.Context, dir string) (broken string) {
	ctx, cancel := context.WithTimeout(ctx, buildPatience)
	defer cancel()
	build := exec.CommandContext(ctx, "go", "build", "-o", l.program, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	out, err := build.CombinedOutput()
	if err == nil {
		return ""
	}
	if len(out) == 0 {
		return err.Error()
	}
	return string(out)
}

// grade has the lab start a container of a step, and judges it by what this step adds.
func (l *labGrader) grade(ctx context.Context, n int, items []check.Item) []check.Item {
	here := l.verdicts[n-1]
	if here.State != doctor.Works {
		return without(items, "cannot be had on this machine: "+here.Error)
	}
	judged, err := l.run(ctx, n)
	if err != nil {
		explain(items, err.Error())
		for i := range items {
			items[i].Hints = nil // nothing was looked at
		}
		return items
	}
	items = itemsOf(judged, n)
	if n == limitStep && !l.limits {
		return without(items, "limits cannot be had on this machine: "+here.Error)
	}
	return items
}

// without leaves out what is missing for a reason that is not the lab's.
func without(items []check.Item, why string) []check.Item {
	for i := range items {
		if items[i].Points < items[i].Of {
			items[i].Of, items[i].Got, items[i].Hints = 0, why, nil
		}
	}
	return items
}

const (
	buildPatience = 10 * time.Minute // how long the compiler may take, which may fetch modules
	labPatience   = 20 * time.Second // a container, to start
	endPatience   = 5 * time.Second  // a lab, to clean up after one
)

// run starts a container, looks at it, and ends it, whatever the lab leaves behind.
func (l *labGrader) run(ctx context.Context, n int) (items []check.Item, err error) {
	state := filepath.Join(l.tmp, "state"+strconv.Itoa(n))
	command := []string{"/bin/sleep", fmt.Sprintf("86400.%d", os.Getpid())}
	args := []string{"-root", l.root, fmt.Sprintf("-limits=%t", l.limits), strconv.Itoa(n)}
	lab := exec.Command(l.program, append(args, command...)...)
	lab.Env = append(os.Environ(), "KIT_STATE="+state)
	var said bytes.Buffer
	lab.Stdout, lab.Stderr = &said, &said
	lab.WaitDelay = time.Second // a process of its may have the pipe open
	if err := lab.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() { _ = lab.Wait(); close(ended) }()
	defer func() {
		err = errors.Join(err, l.end(lab.Process.Pid, state, ended))
	}()
	for deadline := time.Now().Add(labPatience); ; time.Sleep(20 * time.Millisecond) {
		for _, p := range family(lab.Process.Pid) {
			if runs(p, command) {
				return check.Container(p, n)
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ended:
			return nil, fmt.Errorf("the container does not start: %s", lastLine(said.String()))
		default:
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("the container has not started after %v", labPatience)
		}
	}
}

// end kills what the lab has started, and has kit clean up after it, by the records that
// there were while it ran.
func (l *labGrader) end(lab int, state string, ended <-chan struct{}) error {
	records := map[string][]byte{}
	files, _ := filepath.Glob(filepath.Join(state, "*.json"))
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil {
			records[f] = text
		}
	}
	all := family(lab)
	for i := len(all) - 1; i > 0; i-- {
		_ = unix.Kill(all[i], unix.SIGKILL) // the lab itself may clean up
	}
	select {
	case <-ended:
	case <-time.After(endPatience):
		_ = unix.Kill(lab, unix.SIGKILL)
		<-ended
	}
	endOrphans()
	for f, text := range records {
		if err := os.WriteFile(f, text, 0o600); err != nil {
			return err
		}
	}
	clean := exec.Command("/proc/self/exe", "clean")
	clean.Args[0] = "kit"
	clean.Env = append(os.Environ(), "KIT_STATE="+state)
	if out, err := clean.CombinedOutput(); err != nil {
		return fmt.Errorf("kit clean: %w: %s", err, lastLine(string(out)))
	}
	return nil
}

// endOrphans ends what the lab has left running.
func endOrphans() {
	for deadline := time.Now().Add(endPatience); time.Now().Before(deadline); {
		all := family(os.Getpid())[1:]
		if len(all) == 0 {
			return
		}
		for _, p := range all {
			_ = unix.Kill(p, unix.SIGKILL)
			_, _ = unix.Wait4(p, nil, unix.WNOHANG, nil)
		}
		time.Sleep(time.Millisecond)
	}
}

// family is a process and all that descend from it, parents first.
func family(pid int) (list []int) {
	children := map[int][]int{}
	directories, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range directories {
		child, _ := strconv.Atoi(filepath.Base(dir))
		if status, err := procfs.ReadStatus(child); err == nil { // else it has ended
			children[status.PPid] = append(children[status.PPid], child)
		}
	}
	list = []int{pid}
	for i := 0; i < len(list); i++ {
		list = append(list, children[list[i]]...)
	}
	return list
}

// runs tells that a process runs this command.
func runs(pid int, command []string) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && string(line) == strings.Join(command, "\x00")+"\x00"
}

// lastLine is what was said last.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
