package state

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerkit/kit/internal/procfs"
)

// Stale tells that neither the container nor the kit that looks after it runs: what
// is left of it is nobody's any more.
func (s State) Stale() bool {
	return !s.Running() && !procfs.Running(s.KitPid, s.KitStart)
}

// Orphan tells that a kit was killed that looked after a container, and that the
// others of its processes have not ended yet.
func (s State) Orphan() bool {
	kit := procfs.Running(s.KitPid, s.KitStart)
	if s.OuterPid != 0 && !procfs.Running(s.OuterPid, s.OuterStart) {
		return kit || s.Running()
	}
	return s.Running() && !kit
}

// Settle waits a moment for the processes of a container whose kit was killed: they
// are about to end, too. It returns as soon as they have, or where there are none.
func (s State) Settle() {
	const enough = 2 * time.Second
	for deadline := time.Now().Add(enough); time.Now().Before(deadline); {
		if !s.Orphan() {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// Find returns what is remembered under a name, be it of a running container or not.
// The error is os.ErrNotExist where there is nothing.
func Find(name string) (State, error) {
	if err := ValidName(name); err != nil {
		return State{}, err
	}
	dir, err := findDir()
	if err != nil {
		return State{}, err
	}
	s, err := load(dir, name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return State{Name: name}, nil // its file cannot be read
	}
	return s, err
}

// Free returns a TakenError where a container has the name that is not stale.
func Free(name string) error {
	s, err := Find(name)
	if err != nil {
		return nil // the directory is refused when it is written to
	}
	if s.Settle(); s.Stale() {
		return nil
	}
	return taken(s)
}

// Adopt makes this process the kit of a stale container, so that no other cleans up
// after it or takes its name meanwhile. It returns what was remembered. It fails with
// a TakenError where the container is not stale, and with os.ErrNotExist where it is
// not known.
func Adopt(name string) (old State, err error) {
	err = Exclusive(func(dir string) error {
		if old, err = Find(name); err != nil {
			return err
		}
		if !old.Stale() {
			return taken(old)
		}
		next := old
		next.Pid, next.StartTime = 0, 0
		next.KitPid, next.KitStart = os.Getpid(), 0
		next.OuterPid, next.OuterStart = 0, 0
		return Save(dir, next)
	})
	return old, err
}

// Sweep removes files that belong to no container, and returns their paths: what a
// kit was writing when it was killed, and directories NAME.net without a NAME.
func Sweep() (removed []string, err error) {
	if _, err := findDir(); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	err = Exclusive(func(dir string) error {
		entries, err := os.ReadDir(dir)
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if !abandoned(dir, e) {
				continue
			}
			if e := os.RemoveAll(path); e != nil {
				err = errors.Join(err, e)
				continue
			}
			removed = append(removed, path)
		}
		return errors.Join(err, prune(dir))
	})
	return removed, err
}

// prune takes lines without a record out of the index.
func prune(dir string) error {
	briefs, err := Briefs()
	for _, s := range briefs {
		if _, e := os.Lstat(file(dir, s.Name)); errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, setLine(dir, s.Name, ""))
		}
	}
	return err
}

// abandoned tells that an entry of the directory is nobody's. Nobody is writing.
func abandoned(dir string, e fs.DirEntry) bool {
	if name, ok := strings.CutPrefix(e.Name(), "."); ok && e.Type().IsRegular() {
		return ValidName(name) == nil
	}
	name, ok := strings.CutSuffix(e.Name(), ".net")
	if !ok || !e.IsDir() || ValidName(name) != nil {
		return false
	}
	_, err := os.Lstat(file(dir, name))
	return errors.Is(err, os.ErrNotExist)
}
