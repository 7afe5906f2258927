package container

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/state"
)

// becomeRoot is step 0: root without being root. A user namespace is the one
// namespace that anybody may make, and its first process has all capabilities
// in it. This program is started again there, as its root, and does the
// parent's work; this process only waits for it.
func becomeRoot(c *Container, signals Signals) (exit int, err error) {
	if err := listenOutside(c); err != nil {
		return 125, &Error{Err: err}
	}
	pid, g, err := startOuter(c)
	if err != nil {
		return 125, &Error{Err: err}
	}
	defer g.close()
	if c.alone {
		if err := openWayOut(c); err != nil {
			c.Notes = append(c.Notes, "no way out of the containers' network: "+err.Error())
		}
	}
	if err := g.send(c); err != nil {
		end(pid)
		// It was written down for a parent that has not begun.
		_ = state.Remove(c.Name, pid)
		return 125, g.cause(&Error{Err: err})
	}
	defer signals.Forward(pid)()
	exit, err = wait(pid)
	r := g.told()
	c.Notes = append(c.Notes, r.Notes...)
	return exit, errors.Join(r.Err(), err)
}

// startParent starts this program as root of a user namespace, with a mount
// namespace in which that root may mount.
func startParent(c *Container, o outer) (pid int, g *gate, err error) {
	self, err := outerSelf(c)
	if err != nil {
		return 0, nil, err
	}
	if o.pid != 0 {
		return joinOuter(o, self)
	}
	return makeOuter(o, self)
}

// joinOuter starts the parent in the user namespace of another container's. Who
// has made a user namespace may enter it, and is root there.
func joinOuter(o outer, self *os.File) (pid int, g *gate, err error) {
	cmd, err := newCommand(roleParent, os.Environ(), self)
	if err != nil {
		self.Close()
		return 0, nil, err
	}
	// Mounts of its own, as we see them: later mounts of the host are among them.
	cmd.fresh = o.fresh
	pid, g, err = cmd.startIn(o.pid, o.joins)
	if err != nil || o.net == 0 {
		return pid, g, err
	}
	if net, err := namespaceOf(pid, "net"); err != nil || net != o.net {
		// The pid is another process's by now.
		end(pid)
		g.close()
		return 0, nil, fmt.Errorf("network namespace %d: %w", o.net, unix.ESRCH)
	}
	return pid, g, nil
}

// makeOuter starts the parent as root of a new user namespace.
func makeOuter(o outer, self *os.File) (pid int, g *gate, err error) {
	attr := &syscall.SysProcAttr{Cloneflags: o.fresh, Pdeathsig: unix.SIGKILL}
	ranges, ok := subordinateIDs()
	r := roleUnmapped
	if !ok {
		// One uid is all that a user may map without help: their own, as 0.
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		// The same for the group.
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
		r = roleParent
	}
	cmd, err := newCommand(r, os.Environ(), self)
	if err != nil {
		self.Close()
		return 0, nil, err
	}
	pid, g, err = cmd.start(attr)
	if err != nil || !ok {
		return pid, g, err
	}
	if err = ranges.write(pid); err == nil {
		// It waits for this byte to be root.
		err = unix.Send(g.fd, []byte{0}, unix.MSG_NOSIGNAL)
	}
	if err != nil {
		end(pid)
		g.close()
		return 0, nil, err
	}
	return pid, g, nil
}

// outerSelf opens this program's file for a process that cannot be seen from
// inside, unless the container shares the host's PIDs.
func outerSelf(c *Container) (*os.File, error) {
	if c.PID.Own() {
		// Nothing inside can reach it: no read-only mount is needed, which would take
		// more than an ordinary user may.
		return os.Open("/proc/self/exe")
	}
	return sealedSelf()
}

// idRanges are the subordinate ids of a user (subuid(5), subgid(5)).
type idRanges struct{ uids, gids user.SubID }

// subordinateIDs returns the caller's subordinate ids, if there are any and the
// set-uid helpers that may map them are installed.
func subordinateIDs() (idRanges, bool) {
	for _, helper := range []string{"newuidmap", "newgidmap"} {
		// Is the set-uid helper installed?
		if _, err := exec.LookPath(helper); err != nil {
			return idRanges{}, false
		}
	}
	// Ranges are given away by name or by uid.
	uid := strconv.Itoa(os.Getuid())
	name := uid
	if u, err := user.CurrentUser(); err == nil {
		name = u.Name
	}
	mine := func(s user.SubID) bool { return (s.Name == name || s.Name == uid) && s.Count > 0 }
	uids, err := user.ParseSubIDFileFilter("/etc/subuid", mine)
	if err != nil || len(uids) == 0 {
		return idRanges{}, false
	}
	gids, err := user.ParseSubIDFileFilter("/etc/subgid", mine)
	if err != nil || len(gids) == 0 {
		return idRanges{}, false
	}
	return idRanges{uids[0], gids[0]}, true
}

// write maps root of pid's user namespace to the caller, and the ids from 1 on
// to the subordinate ones. Only set-uid helpers may map ids that are not one's
// own (newuidmap(1), newgidmap(1)).
func (r idRanges) write(pid int) error {
	// Our own ids become 0, so that our files are root's inside.
	for _, h := range []struct {
		helper string
		own    int
		sub    user.SubID
	}{{"newuidmap", os.Getuid(), r.uids}, {"newgidmap", os.Getgid(), r.gids}} {
		// The helper checks the range against its file and writes the map for us.
		out, err := exec.Command(h.helper, strconv.Itoa(pid),
			"0", strconv.Itoa(h.own), "1",
			"1", strconv.FormatInt(h.sub.SubID, 10), strconv.FormatInt(h.sub.Count, 10),
		).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s %d: %w: %s", h.helper, pid, err, out)
		}
	}
	return nil
}

// awaitMap waits for a byte, by which time our uid is mapped to 0, and starts this
// program anew: only an execve as uid 0 gives the capabilities
// that the execve before it, as nobody yet, took away (user_namespaces(7)).
func awaitMap(g *gate) error {
	// The gate does not open yet: the next program knocks at it.
	if n, _, err := unix.Recvfrom(g.fd, make([]byte, 1), 0); err != nil || n == 0 {
		return err
	}
	env := append(os.Environ(), roleEnv+"="+string(roleParent))
	// Root in this namespace now: execve gives root its capabilities.
	err := unix.Exec("/proc/self/exe", os.Args, env)
	return &Error{Err: fmt.Errorf("execve /proc/self/exe: %w", err)}
}
