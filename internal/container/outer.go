package container

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/state"
)

// An outer says in which namespaces step 0 starts the parent.
type outer struct {
	pid   int     // the process whose namespaces are entered, 0 for none
	joins uintptr // CLONE_NEW*: those that are entered
	net   uint64  // inode of the network namespace among them, 0 for none
	fresh uintptr // CLONE_NEW*: those that are new
}

// startOuter starts the parent's side as root. Containers that are to reach each
// other need one bridge, and so one network namespace that plays the host: the
// first one's parent gets a new one, and those of the others start in it. It
// lives as long as one of them does.
func startOuter(c *Container) (pid int, g *gate, err error) {
	c.hostOfOthers()
	if c.Net.Kind != NetBridge {
		return startParent(c, c.outerAmong(nil))
	}
	locked := false
	// While one kit looks for the namespace or makes it, no other does: two that are
	// started at once end up in one.
	err = state.Exclusive(func(dir string) error {
		locked = true
		pid, g, err = startShared(c, dir)
		return err
	})
	if err != nil && !locked && !c.Named {
		// Nothing can be written down here, so nobody can be found: it stays alone.
		return startParent(c, c.outerAmong(nil))
	}
	return pid, g, err
}

// startShared starts the parent's side and writes it down in dir at once, so that
// the next kit finds it.
func startShared(c *Container, dir string) (pid int, g *gate, err error) {
	all, err := state.Briefs()
	if err != nil {
		return 0, nil, err
	}
	for _, s := range all {
		if s.Name == c.Name && !s.Stale() {
			return 0, nil, &state.TakenError{Name: s.Name, Pid: cmp.Or(s.Pid, s.KitPid)}
		}
	}
	o := c.outerAmong(all)
	pid, g, err = startParent(c, o)
	for errors.Is(err, unix.ESRCH) && o.net != 0 {
		// It has been killed this very moment: look for another.
		all = slices.DeleteFunc(all, func(s state.State) bool { return s.KitPid == o.pid })
		o = c.outerAmong(all)
		pid, g, err = startParent(c, o)
	}
	if err != nil {
		return 0, nil, err
	}
	c.alone = o.net == 0
	if err := c.known(dir, pid); err != nil {
		end(pid)
		g.close()
		return 0, nil, err
	}
	return pid, g, nil
}

// known writes the container down, whose parent is the process pid.
func (c *Container) known(dir string, pid int) (err error) {
	if c.Net.Outer, err = namespaceOf(pid, "net"); err != nil {
		return err
	}
	s, err := c.state()
	if err != nil {
		return err
	}
	s.KitPid = pid
	return state.Save(dir, s)
}

// outerAmong chooses where the parent starts: in the user namespace of a
// container whose namespaces are to be shared, since nobody else may enter them;
// for a bridge, in the network namespace in which it is, if there is one among
// all. A container that sees the host's processes would, as root of that user
// namespace, have power over the other containers' parents: it has both alone.
func (c *Container) outerAmong(all []state.State) outer {
	o := outer{fresh: unix.CLONE_NEWUSER | unix.CLONE_NEWNS}
	if c.Net.Kind == NetBridge {
		o.fresh |= unix.CLONE_NEWNET
	}
	shared := c.shares()
	if shared != 0 {
		o.pid, o.joins = shared, unix.CLONE_NEWUSER
	}
	for _, s := range all {
		other := &Container{}
		if !s.Running() || json.Unmarshal(s.Container, other) != nil || other.Net.Outer == 0 {
			continue
		}
		if shared == s.Pid || shared == 0 && !c.PID.Host && !other.PID.Host {
			o.pid, o.net = s.KitPid, other.Net.Outer
			o.joins = unix.CLONE_NEWUSER | unix.CLONE_NEWNET
			break
		}
	}
	o.fresh &^= o.joins
	return o
}

// shares is the process of another container of which a namespace is shared, or 0.
func (c *Container) shares() int {
	for _, pid := range []int{c.IPC.Pid, c.PID.Pid, c.Net.Pid} {
		if pid != 0 {
			return pid
		}
	}
	return 0
}

// hostOfOthers looks for namespaces that another container shares with us, the
// host: nobody has to enter them, and a root of less than the host may not.
func (c *Container) hostOfOthers() {
	if ours(c.IPC.Pid, "ipc") {
		c.IPC = Sharing{Host: true}
	}
	if ours(c.PID.Pid, "pid") {
		c.PID = Sharing{Host: true}
	}
	if ours(c.Net.Pid, "net") {
		c.Net.Kind, c.Net.Pid = NetHost, 0
	}
}

// ours tells that a process uses our namespace of that kind.
func ours(pid int, kind string) bool {
	if pid == 0 {
		return false
	}
	theirs, err := namespaceOf(pid, kind)
	if err != nil {
		return false // the kernel will say what is wrong when it is entered
	}
	// Our own number, by which /proc knows us.
	own, err := namespaceOf(os.Getpid(), kind)
	return err == nil && own == theirs
}

// namespaceOf is the inode of a process's namespace, by which the kernel tells
// namespaces apart (namespaces(7)).
func namespaceOf(pid int, kind string) (uint64, error) {
	path := "/proc/" + strconv.Itoa(pid) + "/ns/" + kind
	var st unix.Stat_t
	// Two processes are in the same namespace where this gives the same inode.
	if err := unix.Stat(path, &st); err != nil {
		return 0, fmt.Errorf("stat %s: %w", path, err)
	}
	return st.Ino, nil
}
