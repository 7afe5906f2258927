package container

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/state"
)

// enterRoot is the name under which the container's root directory is handed over.
const enterRoot = "enter root"

// kinds are the eight kinds of namespaces, as /proc/PID/ns and as clone(2) name them.
var kinds = []struct {
	name string
	flag uintptr
}{
	{"user", unix.CLONE_NEWUSER},
	{"mnt", unix.CLONE_NEWNS},
	{"pid", unix.CLONE_NEWPID},
	{"uts", unix.CLONE_NEWUTS},
	{"ipc", unix.CLONE_NEWIPC},
	{"net", unix.CLONE_NEWNET},
	{"cgroup", unix.CLONE_NEWCGROUP},
	{"time", unix.CLONE_NEWTIME},
}

// dying is how long a process may be no longer complete and not yet at its end, on a
// machine that is busy.
const dying = 500 * time.Millisecond

// Enter runs a command in a container that runs already, and returns its exit
// status, or 125 with an error when kit itself failed. The container is as it was
// written down, with the command in place of its own, and c.First its first process.
func Enter(c *Container) (exit int, err error) {
	signals := CatchSignals()
	// The command dies with the thread that started it (PR_SET_PDEATHSIG).
	runtime.LockOSThread()
	// Nothing that our caller has left open gets inside.
	if err := closeFiles(); err != nil {
		return 125, &Error{Err: err}
	}
	c.Handed, c.Init, c.Left = nil, false, false
	c.Pid = c.First.Pid
	return runEnter(c, signals)
}

// runEnter is the parent's side, from top to bottom.
func runEnter(c *Container, signals Signals) (exit int, err error) {
	defer reclaimTerminal(c)
	pid, g, err := letEnter(c)
	if err != nil {
		for deadline := time.Now().Add(dying); c.First.ending() && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if !c.First.runs() {
			err = fmt.Errorf("%s has ended: %w", c.Name, unix.ESRCH)
		}
		return 125, &Error{Err: err}
	}
	defer g.close()
	defer signals.Forward(pid)()
	restore, err := relay(c, g)
	if err != nil {
		end(pid)
		return 125, &Error{Err: err}
	}
	defer restore()
	return waitTold(pid, g)
}

// letEnter starts a process in the container, makes sure that it is there, and opens
// the gate for it.
func letEnter(c *Container) (pid int, g *gate, err error) {
	if err := awaitCommand(c); err != nil {
		return 0, nil, err
	}
	if err := handRoot(c); err != nil {
		return 0, nil, err
	}
	flags, err := foreign(c.Pid)
	if err != nil {
		return 0, nil, err
	}
	pid, g, err = startEntering(c.Pid, flags)
	if err != nil {
		return 0, nil, err
	}
	for _, do := range []func(pid int, c *Container) error{joinCgroups, sameNamespaces, sameOOMScore} {
		if err == nil {
			err = do(pid, c)
		}
	}
	if err == nil && !c.First.runs() {
		err = unix.ESRCH // its number may be another's
	}
	if err == nil {
		err = g.send(c)
	}
	if err != nil {
		end(pid)
		err = g.cause(err)
		g.close()
		return 0, nil, err
	}
	return pid, g, nil
}

// runs tells that the process has not ended, and its number become another's.
func (p Process) runs() bool {
	return state.State{Pid: p.Pid, StartTime: p.Start}.Running()
}

// ending tells that the process has begun to end, and has not ended: what belongs to it
// goes away one after the other.
func (p Process) ending() bool {
	return state.State{Pid: p.Pid, StartTime: p.Start}.Ending()
}

// awaitCommand waits until the container's first process has become its command:
// before, the process has neither its root directory nor its restrictions yet. Until
// then it has its end of the gate open.
func awaitCommand(c *Container) error {
	const enough = 10 * time.Second
	path, gate := fmt.Sprintf("/proc/%d/fd/%d", c.Pid, gateFD), fmt.Sprintf("socket:[%d]", c.Gate)
	for deadline := time.Now().Add(enough); time.Now().Before(deadline); {
		// Is it the gate that it has open there?
		file, err := os.Readlink(path)
		if err == nil && file != gate || errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("%s is still being built after %v", c.Name, enough)
}

// runEntering is the child's side, from top to bottom. It is in the namespaces and
// the cgroups of the container already.
func runEntering(g *gate, ladder []Step) (exit int, err error) {
	if err := dieWithParent(); err != nil {
		return 125, &Error{Err: err}
	}
	// The program's file was only needed to get here.
	unix.Close(selfFD)
	c, err := g.receive()
	if err != nil || c == nil {
		return 125, err
	}
	last := Step{Last: Become}
	for _, s := range ladder[:c.Steps] {
		if s.Last != nil {
			last = s
		}
	}
	if err := holdTerminal(c); err != nil {
		return 125, &Error{Err: err}
	}
	if c.TTY && !c.Devpts {
		if err := openTerminal(c, g, "/dev/ptmx"); err != nil {
			return 125, &Error{Err: err}
		}
	}
	if err := takeRoot(c); err != nil {
		return 125, &Error{Err: err}
	}
	if c.UserNS == UserNSRemap {
		// Kit's groups are the host's: the container's first process has none.
		if err := unix.Setgroups(nil); err != nil {
			return 125, &Error{Err: fmt.Errorf("setgroups: %w", err)}
		}
	}
	if c.TTY && c.Devpts {
		if err := openTerminal(c, g, "/dev/ptmx"); err != nil {
			return 125, &Error{Err: err}
		}
	}
	return runPayload(c, last)
}

// startEntering starts this program in namespaces of the process first.
func startEntering(first int, flags uintptr) (pid int, g *gate, err error) {
	if err := linkedStatically(); err != nil {
		return 0, nil, err
	}
	// The container's processes can reach it, and must not be able to change it.
	self, err := sealedSelf()
	if err != nil {
		return 0, nil, err
	}
	cmd, err := newCommand(roleEnter, quiet(), self)
	if err != nil {
		self.Close()
		return 0, nil, err
	}
	// As for the container's first process: no command line of the host's.
	cmd.Argv = os.Args[:1]
	if flags == 0 {
		return cmd.start(&syscall.SysProcAttr{}) // step 1: there is nothing to enter but the root
	}
	return cmd.startIn(first, flags)
}

// linkedStatically refuses a program that needs a dynamic linker: inside there may be
// none, or another one.
func linkedStatically() error {
	// The program that we run from.
	program, err := elf.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	// Only its header was of interest.
	defer program.Close()
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			return errors.New("kit is linked dynamically, and there is no linker for it inside: " +
				"build it with CGO_ENABLED=0")
		}
	}
	return nil
}

// foreign tells which namespaces of a process are not ours: one's own user namespace
// cannot be entered, and the others need not be.
func foreign(pid int) (flags uintptr, err error) {
	for _, kind := range kinds {
		theirs, err := namespaceOf(pid, kind.name)
		if errors.Is(err, unix.ENOENT) && kind.flag == unix.CLONE_NEWTIME {
			continue // a kernel before 5.6 has no such namespaces
		}
		if err != nil {
			return 0, err
		}
		// Our own, by the thread that will be copied.
		own, err := namespaceOf(unix.Gettid(), kind.name)
		if err != nil {
			return 0, err
		}
		if own != theirs {
			flags |= kind.flag
		}
	}
	return flags, nil
}

// sameNamespaces makes sure that a process is where the container's first one is.
func sameNamespaces(pid int, c *Container) error {
	for _, kind := range kinds {
		theirs, err := namespaceOf(c.Pid, kind.name)
		if errors.Is(err, unix.ENOENT) && kind.flag == unix.CLONE_NEWTIME {
			continue
		}
		if err != nil {
			return err
		}
		got, err := namespaceOf(pid, kind.name)
		if err != nil {
			return err
		}
		if got != theirs {
			return fmt.Errorf("namespace %s of %s is %d, but the new process is in %d: %w",
				kind.name, c.Name, theirs, got, unix.EXDEV)
		}
	}
	return nil
}

// joinCgroups makes the process count as one of the container's: its limits hold for
// it too.
func joinCgroups(pid int, c *Container) error {
	for _, dir := range c.Cgroups {
		path := dir + "/cgroup.procs"
		// It waits at the gate: nothing that it will do goes uncounted.
		if err := os.WriteFile(path, []byte(strconv.Itoa(pid)), 0); err != nil {
			return err
		}
	}
	return nil
}

// sameOOMScore makes the process as likely to be killed when memory runs out as the
// container's first one.
func sameOOMScore(pid int, c *Container) error {
	if c.Security.OOMScore == nil {
		return nil
	}
	path := fmt.Sprintf("/proc/%d/oom_score_adj", pid)
	// Its children inherit it.
	return os.WriteFile(path, []byte(strconv.Itoa(*c.Security.OOMScore)), 0)
}

// handRoot opens the root directory of the container's first process, and hands it
// over. After setns the root is that of the mount namespace, which is another one
// where step 1's chroot is all there is.
func handRoot(c *Container) error {
	path := fmt.Sprintf("/proc/%d/root", c.Pid)
	// A link to what the process sees as "/", which only the kernel can follow.
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	c.Hand(enterRoot, fd)
	return nil
}

// takeRoot makes the container's root directory ours.
func takeRoot(c *Container) error {
	fd, ok := c.File(enterRoot)
	if !ok {
		return errors.New("the root directory has not been handed over")
	}
	// Stand in it, ...
	if err := unix.Fchdir(fd); err != nil {
		return fmt.Errorf("fchdir %s: %w", c.Root, err)
	}
	// ... and take it for "/".
	if err := unix.Chroot("."); err != nil {
		return fmt.Errorf("chroot %s: %w", c.Root, err)
	}
	// An open directory of outside could lead out again.
	unix.Close(fd)
	return nil
}

// holdTerminal takes the terminal's keyboard for the command, as a process group of
// its own: a shell in another PID namespace could not name that of kit's.
func holdTerminal(c *Container) error {
	if !c.Foreground {
		return nil
	}
	// A group of our own, with our number.
	if err := unix.Setpgid(0, 0); err != nil {
		return fmt.Errorf("setpgid: %w", err)
	}
	// The terminal would stop us for reaching for it from the background.
	signal.Ignore(unix.SIGTTOU)
	// The command shall find the signal as it was.
	defer signal.Reset(unix.SIGTTOU)
	// Keys and Ctrl-C are for us from here on.
	if err := unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, unix.Getpgrp()); err != nil {
		return fmt.Errorf("ioctl TIOCSPGRP: %w", err)
	}
	return nil
}
