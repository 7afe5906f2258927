package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/hint"
	"github.com/containerkit/kit/internal/probe"
)

// As whom a primitive is tried.
const (
	AsRoot = "root" // of the host, or of the container that kit runs in
	AsUser = "user" // root of a user namespace only, as anybody may become
)

// A trial is a deed that is done in a child and shows whether something works.
type trial struct {
	id, name string
	step     int
	loses    string // what of kit does not work without it
	vital    bool   // the step does not work at all without it, but with flags perhaps

	who  who
	ns   uintptr // CLONE_NEW*: the namespaces that it takes
	deed deed    // nil: to be in those namespaces is all
}

// A deed says what it has found. An error begins with the call that failed. It must
// leave nothing but what goes with its namespaces and with the place.
type deed func(p *place) (found string, err error)

// who is to try something.
type who int

const (
	anybody  who = iota // in two ways: as root of the host, and of a user namespace
	hostRoot            // only the host's root can
	userRoot            // it is about user namespaces
	oneself             // it makes no difference
)

// as returns the ways in which a trial is made here.
func (t trial) as(m Machine) []string {
	switch {
	case t.who == oneself:
		return []string{""}
	case t.who == userRoot, t.who == anybody && !m.Root:
		return []string{AsUser}
	case t.who == hostRoot:
		return []string{AsRoot}
	}
	return []string{AsRoot, AsUser}
}

// An answer is what a child found out.
type answer struct {
	Found, Error string
	Untried      bool
	Hints        []string
}

// errUntried is a deed's, where there is nothing to do it with. Found says why.
var errUntried = errors.New("untried")

const (
	roleEnv  = "KIT_ROLE"
	role     = "doctor"
	trialEnv = "KIT_TRIAL"
	placeEnv = "KIT_PLACE"
	answerFD = 3
)

// Is tells that this process is a child that tries something.
func Is() bool { return os.Getenv(roleEnv) == role }

// Do does what this process was started to try, and tells the doctor.
func Do() {
	runtime.LockOSThread()
	if os.Getenv(trialEnv) == waiting {
		_, _ = os.Stdin.Read(make([]byte, 1))
		os.Exit(0)
	}
	var a answer
	for _, t := range trials() {
		if t.id == os.Getenv(trialEnv) && t.deed != nil {
			a = t.do(&place{dir: os.Getenv(placeEnv)})
		}
	}
	text, err := json.Marshal(a)
	if err != nil {
		os.Exit(1)
	}
	_, _ = unix.Write(answerFD, text)
	os.Exit(0)
}

// do does the deed. The reason of a failure is looked for where it happened.
func (t trial) do(p *place) (a answer) {
	found, err := t.deed(p)
	a.Found = found
	switch {
	case errors.Is(err, errUntried):
		a.Untried = true
	case err != nil:
		a.Error, a.Hints = err.Error(), explain(&container.Error{Err: err})
	}
	return a
}

// explain says why something failed, and what to do about it: what kit says at any
// such failure, else what the machine says of itself.
func explain(err error) []string {
	if hints := hint.For(err); len(hints) > 0 {
		return hints
	}
	return hint.Facts(probe.Confined(err))
}

// check is what is known of a trial before it is made.
func (t trial) check(as string) Check {
	return Check{
		ID: t.id, Step: t.step, Name: t.name, As: as, State: Works, Loses: t.loses,
		Hints: []string{},
	}
}

// without is the check where there is no /proc, through which everything is started.
func (t trial) without(as string, noProc error) Check {
	c := t.check(as)
	c.State, c.Found = Untried, "takes /proc"
	if t.id == procID {
		c.State, c.Found, c.Error = Fails, "", noProc.Error()
		c.Hints = explain(&container.Error{Err: noProc})
	}
	return c
}

// run makes the trial.
func (t trial) run(ctx context.Context, p *place, as string) Check {
	c := t.check(as)
	if as == AsRoot && !container.Privileged() {
		c.State, c.Found = Untried, "for root only"
		return c
	}
	flags := t.ns
	if as == AsUser {
		flags |= unix.CLONE_NEWUSER
	}
	a, err := t.start(ctx, p, flags)
	switch {
	case err != nil:
		c.State, c.Error, c.Hints = Fails, err.Error(), explain(err)
		c.unborn, c.silent = flags, errors.Is(err, unix.ETIMEDOUT)
	case a.Untried:
		c.State, c.Found = Untried, a.Found
	case a.Error != "":
		c.State, c.Found, c.Error, c.Hints = Fails, a.Found, a.Error, a.Hints
	default:
		c.Found = a.Found
	}
	return c
}

// again starts this program once more, for a trial or a part of one.
func again(trial string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args[0] = os.Args[0] // a test program goes by it
	cmd.Env = []string{roleEnv + "=" + role, trialEnv + "=" + trial, "GOMAXPROCS=2"}
	return cmd
}

// start starts the child in its namespaces, and waits for its answer.
func (t trial) start(ctx context.Context, p *place, flags uintptr) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ours, theirs, err := os.Pipe()
	if err != nil {
		return a, err
	}
	defer ours.Close()
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), roleEnv+"="+role, trialEnv+"="+t.id, placeEnv+"="+p.dir,
		"GOMAXPROCS=2", "GODEBUG=containermaxprocs=0,updatemaxprocs=0")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, nil, nil
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Pdeathsig: unix.SIGKILL}
	if flags&unix.CLONE_NEWUSER != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	err = cmd.Start()
	theirs.Close()
	if errno := unix.Errno(0); errors.As(err, &errno) {
		return a, &container.CloneError{Flags: flags, Err: errno}
	}
	if err != nil {
		return a, err
	}
	_ = ours.SetReadDeadline(time.Now().Add(patience))
	text, _ := io.ReadAll(ours)
	ended := cmd.Wait()
	if ctx.Err() != nil {
		return a, fmt.Errorf("trial: no answer within %v: %w", patience, unix.ETIMEDOUT)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return a, fmt.Errorf("trial: %w", cmp.Or(ended, err))
	}
	return a, nil
}
