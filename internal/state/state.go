// Package state remembers which containers run, so that another kit finds them
// by their names.
//
// Each container has a file:
//
//	/run/kit/NAME.json             root's
//	$XDG_RUNTIME_DIR/kit/NAME.json another user's
//	/tmp/kit-UID/NAME.json         where there is no XDG_RUNTIME_DIR
//	$KIT_STATE/NAME.json           where that is set
//
// The file is only a claim: the container is the process of that pid and start
// time, and where that has ended the claim is void, so nothing that a killed
// kit left behind is in the way of the next one.
package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerkit/kit/internal/procfs"
)

// State is what is known of a container.
type State struct {
	Name      string    `json:"name"`
	Pid       int       `json:"pid"`        // its first process, as the host sees it; 0: none yet
	StartTime uint64    `json:"start_time"` // of that process, see procfs.StartTime
	Step      int       `json:"step"`       // how many steps built it
	Rootfs    string    `json:"rootfs"`     // the directory that became its "/"
	Command   []string  `json:"command"`
	Created   time.Time `json:"created"`
	KitPid    int       `json:"kit_pid"`   // the kit that waits for it
	KitStart  uint64    `json:"kit_start"` // of that process

	// The kit that the user started, with which that one ends: the observer's, or the
	// one of step 0, or the same; 0 for the same.
	OuterPid   int    `json:"outer_pid"`
	OuterStart uint64 `json:"outer_start"`

	// What the engine knows: enough to enter the container, and to remove what is
	// left of it.
	Container json.RawMessage `json:"container,omitempty"`

	// The part of it that others ask for, see Briefs; all of it where this is empty.
	Brief json.RawMessage `json:"-"`
}

// Running tells that the container's first process, or the kit that is about to
// start it, has not ended.
func (s State) Running() bool {
	if s.Pid == 0 {
		return procfs.Running(s.KitPid, s.KitStart)
	}
	return procfs.Running(s.Pid, s.StartTime)
}

// A TakenError tells that a running container has the name already.
type TakenError struct {
	Name string
	Pid  int
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("name %q is taken by pid %d", e.Name, e.Pid)
}

// taken is the error for the name of s, which has ended its first process, or has
// none yet, where only kit is there.
func taken(s State) error {
	if s.Pid == 0 || !s.Running() {
		return &TakenError{s.Name, s.KitPid}
	}
	return &TakenError{s.Name, s.Pid}
}

// A NotFoundError tells that no running container has the name.
type NotFoundError struct {
	Name    string
	Running []string // the names of those that run
	Status  string   // why a container of that name does not run, "" where there is none
}

func (e *NotFoundError) Error() string {
	if e.Status != "" {
		return fmt.Sprintf("container %q does not run: %s", e.Name, e.Status)
	}
	if len(e.Running) == 0 {
		return fmt.Sprintf("no container %q: none is running", e.Name)
	}
	return fmt.Sprintf("no container %q: running are %s", e.Name, strings.Join(e.Running, ", "))
}

// Claim makes a container known that is about to be built: its name is taken.
// It fails with a TakenError where another one of that name runs; of several at
// the same time, one succeeds.
func Claim(s State) error {
	if err := ValidName(s.Name); err != nil {
		return err
	}
	return Exclusive(func(dir string) error {
		if old, err := load(dir, s.Name); err == nil && !old.Stale() {
			return taken(old)
		}
		return Save(dir, s)
	})
}

// Exclusive runs f while no other kit of the user changes what is remembered in
// dir.
func Exclusive(f func(dir string) error) error {
	dir, err := makeDir()
	if err != nil {
		return err
	}
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	return f(dir)
}

// Save remembers a container in dir, which Exclusive gives. The times are filled
// in where they are zero; the one of creation stays that of the record before.
func Save(dir string, s State) (err error) {
	if s.StartTime == 0 && s.Pid != 0 {
		if s.StartTime, err = procfs.StartTime(s.Pid); err != nil {
			return err
		}
	}
	if s.KitStart == 0 && s.KitPid != 0 {
		if s.KitStart, err = procfs.StartTime(s.KitPid); err != nil {
			return err
		}
	}
	if s.OuterStart == 0 && s.OuterPid != 0 {
		// Where it has ended, so does the kit.
		s.OuterStart, _ = procfs.StartTime(s.OuterPid)
	}
	if s.Created.IsZero() {
		s.Created = time.Now().UTC().Truncate(time.Second)
		if old, err := load(dir, s.Name); err == nil && sameKit(old, s) {
			s.Created = old.Created
		}
	}
	if err := setLine(dir, s.Name, lineOf(s)); err != nil {
		return err
	}
	return write(dir, s)
}

// sameKit tells that two states are of the same run of kit.
func sameKit(a, b State) bool {
	return a.KitPid != 0 && a.KitPid == b.KitPid && a.KitStart == b.KitStart
}

// write replaces a container's file in one go.
func write(dir string, s State) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	next := filepath.Join(dir, "."+s.Name) // no container's: names begin otherwise
	return replace(file(dir, s.Name), next, append(text, '\n'))
}

// replace gives a file another text in one go, by way of the file next.
func replace(path, next string, text []byte) error {
	err := os.WriteFile(next, text, 0o600)
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		os.Remove(next)
	}
	return err
}

// file is where the container of that name is remembered.
func file(dir, name string) string { return filepath.Join(dir, name+suffix) }

const suffix = ".json"

// Remove forgets the container of that name and kit. It is no error if it is
// not known, or if the name is another one's by now.
func Remove(name string, kitPid int) error {
	if err := ValidName(name); err != nil {
		return err
	}
	dir, err := findDir()
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := load(dir, name)
	if err == nil && s.KitPid != kitPid {
		return nil
	}
	if err = os.Remove(file(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return setLine(dir, name, "")
}
