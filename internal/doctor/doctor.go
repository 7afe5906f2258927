// Package doctor finds out what this machine lets its user do, by doing it: each
// primitive that a container is made of in a child and in throw-away namespaces, and
// each step of the ladder as a whole. What fails it explains with the hints that the
// same failure gives anywhere else in kit.
package doctor

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/procfs"
)

// patience is how long one trial may take, on a machine that has other things to do.
const patience = 20 * time.Second

// The states of a check and of a step.
const (
	Works   = "works"
	Fails   = "fails"
	Untried = "untried" // there was nothing to try it with, or nobody to try it as
)

// A Report is what was found. Its form in JSON is version 1: keys may be added, none
// renamed.
type Report struct {
	V       int     `json:"v"`
	OK      bool    `json:"ok"` // all steps work in some way
	Machine Machine `json:"machine"`
	Steps   []Step  `json:"steps"`
	Checks  []Check `json:"checks"` // in the order of Trials
}

// A Step is one rung of the ladder: a container of steps 1 to N that was started.
type Step struct {
	N     int      `json:"step"`
	Name  string   `json:"name"`
	State string   `json:"state"`
	As    string   `json:"as"`    // "root": of the host; "user": root of a user namespace only
	Lacks []string `json:"lacks"` // the limits that it has to do without: "memory"
	Error string   `json:"error"` // of the step, else of what it lacks; "" for none
	Hints []string `json:"hints"` // why, and what to do about it
}

// A Check is one primitive that was tried.
type Check struct {
	ID    string   `json:"id"`   // "proc"; one id may be tried as root and as user
	Step  int      `json:"step"` // that needs it first; 0: kit itself
	Name  string   `json:"name"`
	As    string   `json:"as"` // "root", "user" as in Step, or "" where that makes no difference
	State string   `json:"state"`
	Found string   `json:"found"` // what was seen there, or why it is untried
	Error string   `json:"error"` // call object: cause
	Loses string   `json:"loses"` // what of kit does not work without it
	Hints []string `json:"hints"` // why, and what to do about it

	unborn uintptr // the namespaces that it could not be tried in
	silent bool    // it has not answered in time
}

// Examine tries everything. It leaves nothing behind. Ladder is the whole of it.
func Examine(ctx context.Context, ladder []container.Step) (Report, error) {
	p, err := newPlace()
	if err != nil {
		return Report{}, err
	}
	defer p.remove()
	r := Report{V: 1, OK: true, Machine: look()}
	todo := r.prepare(ctx, p, trials())
	todo = append(todo, func() { r.Steps = p.ladder(ctx, ladder) })
	atOnce(todo)
	r.blame()
	for _, s := range r.Steps {
		r.OK = r.OK && s.State == Works
	}
	return r, nil
}

// prepare makes a check of each trial, and returns what is to be done for them.
func (r *Report) prepare(ctx context.Context, p *place, list []trial) (todo []func()) {
	r.Checks = make([]Check, 0, 2*len(list))
	for _, t := range list {
		for _, as := range t.as(r.Machine) {
			r.Checks = append(r.Checks, Check{})
			c := &r.Checks[len(r.Checks)-1]
			if noProc := procfs.Mounted(); noProc != nil {
				*c = t.without(as, noProc)
				continue
			}
			todo = append(todo, func() { *c = t.run(ctx, p, as) })
		}
	}
	return todo
}

// Reasons tries what steps 1 to n cannot do without, as whom kit would run them, and says
// what of it does not work, why, and what to do about it: one line each. Of what did not
// answer before ctx ended it says nothing.
func Reasons(ctx context.Context, n int) (lines []string, err error) {
	p, err := newPlace()
	if err != nil {
		return nil, err
	}
	defer p.remove()
	r := Report{Machine: look()}
	list := slices.DeleteFunc(trials(), func(t trial) bool { return t.step > n || !t.vital })
	atOnce(r.prepare(ctx, p, list))
	r.blame()
	as := AsUser
	if r.Machine.Root {
		as = AsRoot
	}
	for _, c := range r.Checks {
		if c.State == Fails && !c.silent && (c.As == "" || c.As == as) {
			line := c.Name + " does not work here"
			if len(c.Hints) == 0 {
				line += ": " + c.Error
			}
			lines = append(append(lines, line), c.Hints...)
		}
	}
	return lines, nil
}

// blame leaves the failure of a kind of namespaces to its own check: what could not be
// tried for the lack of it is no news.
func (r *Report) blame() {
	kinds := []struct {
		id, name string
		flag     uintptr
	}{
		{"userns", "user", unix.CLONE_NEWUSER},
		{"mnt", "mount", unix.CLONE_NEWNS},
		{"pid", "PID", unix.CLONE_NEWPID},
		{"ipc", "IPC", unix.CLONE_NEWIPC},
		{"net", "network", unix.CLONE_NEWNET},
	}
	for i := range r.Checks {
		c := &r.Checks[i]
		for _, k := range kinds {
			if c.ID == k.id {
				break // what comes later is not needed to try it
			}
			if c.unborn&k.flag != 0 && r.failed(k.id, c.As) {
				c.State, c.Found = Untried, "takes a "+k.name+" namespace"
				c.Error, c.Hints = "", []string{}
				break
			}
		}
	}
}

// failed tells that a check's namespaces could not be had.
func (r *Report) failed(id, as string) bool {
	return slices.ContainsFunc(r.Checks, func(c Check) bool {
		return c.ID == id && c.As == as && c.unborn != 0
	})
}

// Ladder tries the steps as a whole.
func Ladder(ctx context.Context, ladder []container.Step) ([]Step, error) {
	p, err := newPlace()
	if err != nil {
		return nil, err
	}
	defer p.remove()
	return p.ladder(ctx, ladder), nil
}

// atOnce does all of it, as many at a time as there are CPUs, and one more, since some
// wait. It does not return before the last has ended.
func atOnce(todo []func()) {
	next, done := make(chan func()), make(chan struct{})
	workers := min(runtime.NumCPU()+1, len(todo))
	for range workers {
		go func() {
			for do := range next {
				do()
			}
			done <- struct{}{}
		}()
	}
	for _, do := range todo {
		next <- do
	}
	close(next)
	for range workers {
		<-done
	}
}

// environment is ours, with some variables set.
func environment(set ...string) (env []string) {
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "KIT_") {
			env = append(env, kv)
		}
	}
	return append(env, set...)
}
