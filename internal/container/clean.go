package container

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/state"
)

// Clean removes what killed kits have left of the user's containers, and never
// touches one that runs. Directory is where containers have directories of their
// own; ladder is all steps. The result says what was removed.
func Clean(directory string, ladder []Step) (r Result) {
	all, err := state.List()
	if err != nil {
		return Result{Exit: 125, Err: err}
	}
	for _, s := range all {
		s.Settle()
		if s.Stale() {
			r.add(cleanName(s.Name, ladder))
		}
	}
	if Privileged() {
		r.add(sweep(directory))
		return r
	}
	// What is in there may belong to subordinate ids.
	r.add(cleanAsRoot(outer{fresh: unix.CLONE_NEWUSER | unix.CLONE_NEWNS},
		&Container{Layers: Layers{Dir: directory}}))
	return r
}

func (r *Result) add(o Result) {
	r.Lines = append(r.Lines, o.Lines...)
	r.Notes = append(r.Notes, o.Notes...)
	r.Exit = max(r.Exit, o.Exit)
	r.Err = errors.Join(r.Err, o.Err)
}

// CleanStale makes room for a container whose name a stale one still has. Ladder is
// all steps, since that one may have had more of them.
func CleanStale(name string, ladder []Step) error {
	s, err := state.Find(name)
	if err != nil {
		return nil // none is known
	}
	s.Settle()
	if !s.Stale() {
		return nil
	}
	r := cleanName(name, ladder)
	if r.Err == nil && r.Exit != 0 {
		return fmt.Errorf("clean %s: exit status %d", name, r.Exit)
	}
	return r.Err
}

// CleanStaleNets cleans up after the stale containers that were on a bridge, for one
// that is to be on it: the ports that they have published would lead to its address.
func CleanStaleNets(c *Container, ladder []Step) error {
	if c.Net.Kind != NetBridge {
		return nil
	}
	all, err := state.Briefs()
	if err != nil {
		return nil // the kit that is to write it down will say why
	}
	// Who wants what another had must know exactly.
	picky := c.Net.IP.IsValid() || len(c.Net.Publish) > 0
	for _, s := range all {
		if stale := s.Gone() || picky && s.Stale(); !stale {
			continue
		}
		old := &Container{}
		if json.Unmarshal(s.Container, old) != nil || old.Net.Kind != NetBridge {
			continue
		}
		if err := CleanStale(s.Name, ladder); err != nil && picky {
			return err
		} else if err != nil {
			continue // it is in nobody's way, and kit clean says why it stays
		}
		// Also of what has no record any more, since kit was killed while it took it away.
		if err := state.Remove(s.Name, 0); err != nil {
			return err
		}
	}
	return nil
}

// cleanName cleans up after one stale container, as root: without being it, in a
// user namespace in which the files it has made belong to us.
func cleanName(name string, ladder []Step) Result {
	if Privileged() {
		return clean(name, ladder)
	}
	s, err := state.Find(name)
	if err != nil {
		return Result{}
	}
	old := &Container{}
	_ = json.Unmarshal(s.Container, old) // what cannot be read is removed
	old.Name, old.Left = name, true
	return cleanAsRoot(outerOf(old.Net.Outer), old)
}

// outerOf is where the parent of a container was that has gone: in the outer network
// namespace net, which is still there where another container is in it. What is
// there of the network would have gone with it.
func outerOf(net uint64) outer {
	o := outer{fresh: unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWNET}
	all, err := state.Briefs()
	if err != nil || net == 0 {
		return o
	}
	for _, s := range all {
		other := &Container{}
		if !s.Running() || json.Unmarshal(s.Container, other) != nil || other.Net.Outer != net {
			continue
		}
		o.pid, o.net = s.KitPid, net
		o.joins = unix.CLONE_NEWUSER | unix.CLONE_NEWNET
		o.fresh &^= o.joins
		break
	}
	return o
}

// cleanAsRoot starts this program as the root of a user namespace, where it cleans
// up, and says through the gate what it has removed.
func cleanAsRoot(o outer, c *Container) Result {
	c.Left, c.Handed = true, nil
	pid, g, err := startParent(c, o)
	if err != nil {
		return Result{Exit: 125, Err: &Error{Err: err}}
	}
	answers := os.NewFile(uintptr(g.fd), "gate")
	// Needed until the other side has ended.
	defer answers.Close()
	if err := g.send(c); err != nil {
		end(pid)
		return Result{Exit: 125, Err: &Error{Err: err}}
	}
	text, err := io.ReadAll(answers)
	exit, e := wait(pid)
	r := Result{Exit: exit, Err: errors.Join(err, e)}
	if len(text) > 0 {
		r.Lines = strings.Split(string(text), "\n")
	}
	return r
}

// cleanRole is the other side of cleanAsRoot.
func cleanRole(g *gate, c *Container, ladder []Step) (r Result) {
	if c.Name == "" {
		r = sweep(c.Layers.Dir)
	} else {
		r = clean(c.Name, ladder)
	}
	// Whoever has started us decides whether to tell.
	answers := os.NewFile(uintptr(g.fd), "gate")
	if _, err := io.WriteString(answers, strings.Join(r.Lines, "\n")); err != nil {
		r.Exit, r.Err = 125, errors.Join(r.Err, err)
	}
	// That was all.
	answers.Close()
	r.Lines = nil
	return r
}

// clean runs the After of each step of a stale container, the newest first, and
// forgets the container, unless something is still there.
func clean(name string, ladder []Step) Result {
	s, err := state.Adopt(name)
	if errors.Is(err, os.ErrNotExist) {
		return Result{}
	}
	if err != nil {
		return Result{Exit: 125, Err: fmt.Errorf("clean %s: %w", name, err)}
	}
	c := &Container{}
	if err := json.Unmarshal(s.Container, c); err != nil {
		// Nobody knows what it had; some of it is found by its name.
		line := fmt.Sprintf("cleaned %s: its record, which cannot be read", name)
		return finish(name, line, nil)
	}
	c.Name = name
	c.Layers.Diff = false // nobody has asked for it now
	there := c.belongings()
	steps := ladder[:max(0, min(c.Steps, len(ladder)))]
	for _, step := range slices.Backward(steps) {
		err = errors.Join(err, step.do(step.After, c))
	}
	return finish(name, "cleaned "+name+": "+strings.Join(there, ", "), err)
}

// finish forgets a container after which all has been cleaned up.
func finish(name, line string, err error) Result {
	if err == nil {
		// It has been ours since Adopt.
		err = state.Remove(name, os.Getpid())
	}
	if err != nil {
		return Result{Exit: 125, Err: fmt.Errorf("clean %s: %w", name, err)}
	}
	return Result{Lines: []string{line}}
}

// belongings tells in words what is there of a container besides its processes.
func (c *Container) belongings() []string {
	words := []string{"record"}
	cgroups := existing(c.Cgroups...)
	if len(cgroups) > 0 {
		word := "cgroup " + cgroups[0]
		if more := len(cgroups) - 1; more > 0 {
			word += fmt.Sprintf(" and %d more", more)
		}
		words = append(words, word)
	}
	for _, dir := range existing(c.Layers.Dir, c.Layers.Work, c.Net.Dir) {
		words = append(words, "directory "+dir)
	}
	if c.Net.Address.IsValid() {
		words = append(words, "address "+c.Net.Address.Addr().String())
	}
	return words
}

func existing(paths ...string) (there []string) {
	for _, path := range paths {
		// Is there anything to remove?
		if _, err := os.Lstat(path); err == nil {
			there = append(there, path)
		}
	}
	return there
}

// unborn is how long a directory may be without an owner: kit has made it, and has
// not locked it yet.
const unborn = 5 * time.Second

// sweep removes what no record tells of: half-written records, and the directories
// of containers that nobody holds.
func sweep(directory string) (r Result) {
	removed, err := state.Sweep()
	// A directory for each container that has or had one.
	entries, e := os.ReadDir(directory)
	if errors.Is(e, os.ErrNotExist) {
		e = nil
	}
	err = errors.Join(err, e)
	for _, entry := range entries {
		dir := filepath.Join(directory, entry.Name())
		if _, e := state.Find(entry.Name()); !errors.Is(e, os.ErrNotExist) || !entry.IsDir() {
			continue
		}
		gone, e := removeAbandoned(dir)
		if gone {
			removed = append(removed, dir)
		}
		err = errors.Join(err, e)
	}
	for _, path := range removed {
		r.Lines = append(r.Lines, "removed "+path)
	}
	if err != nil {
		r.Exit, r.Err = 125, err
	}
	return r
}

// removeAbandoned removes a container's directory, unless a kit has it locked, which
// may be one that remembers its containers elsewhere.
func removeAbandoned(dir string) (gone bool, err error) {
	// A link is not followed.
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open %s: %w", dir, err)
	}
	// The lock goes with it.
	defer unix.Close(fd)
	// Its kit holds the lock as long as it lives.
	if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) != nil {
		return false, nil
	}
	var st unix.Stat_t
	// How old is it?
	if err := unix.Fstat(fd, &st); err != nil {
		return false, fmt.Errorf("fstat %s: %w", dir, err)
	}
	if time.Since(time.Unix(st.Ctim.Unix())) < unborn {
		return false, nil
	}
	return true, RemoveTree(dir)
}
