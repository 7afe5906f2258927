package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A freezer is the file by which a cgroup is frozen: of v2 where the container has a
// directory there, since a frozen process can still be killed then, which one that
// v1 has frozen cannot.
type freezer struct {
	dir, file       string
	frozen, running string // what to write
}

// ErrNoFreezer tells that none of the directories has a file to freeze by.
var ErrNoFreezer = errors.New("no cgroup.freeze (v2) and no freezer.state (v1)")

func findFreezer(dirs []string) (freezer, error) {
	for _, f := range []freezer{
		{"", "cgroup.freeze", "1", "0"},
		{"", "freezer.state", "FROZEN", "THAWED"},
	} {
		for _, dir := range dirs {
			if _, err := os.Stat(filepath.Join(dir, f.file)); err == nil {
				f.dir = dir
				return f, nil
			}
		}
	}
	return freezer{}, ErrNoFreezer
}

// Freeze stops all processes of a container, whose directories these are, until Thaw.
// It returns when they have stopped, and the name of the file it has written to. When
// they have not after patience, it lets them run on and fails.
func Freeze(dirs []string, patience time.Duration) (file string, err error) {
	f, err := findFreezer(dirs)
	if err != nil {
		return "", err
	}
	file, err = f.set(f.frozen, true, patience)
	if err != nil {
		_, _ = f.set(f.running, false, 0)
	}
	return file, err
}

// Thaw lets the processes run on. It returns when they do, and the name of the file
// it has written to.
func Thaw(dirs []string, patience time.Duration) (file string, err error) {
	f, err := findFreezer(dirs)
	if err != nil {
		return "", err
	}
	return f.set(f.running, false, patience)
}

// set writes a state and waits until the kernel says that it has been reached.
func (f freezer) set(state string, frozen bool, patience time.Duration) (string, error) {
	file := filepath.Join(f.dir, f.file)
	deadline := time.Now().Add(patience)
	for {
		// Once more each time: v1 forgets processes that were born in between.
		if err := os.WriteFile(file, []byte(state), 0); err != nil {
			return file, err
		}
		is, err := isFrozen(f.dir)
		if err != nil || is == frozen {
			return file, err
		}
		if time.Now().After(deadline) {
			return file, f.late(frozen, patience)
		}
		time.Sleep(time.Millisecond)
	}
}

// late says what keeps the state from being reached.
func (f freezer) late(frozen bool, patience time.Duration) error {
	if !frozen {
		return fmt.Errorf("%s: still frozen after %v: a cgroup above it is", f.dir, patience)
	}
	return fmt.Errorf("%s: not frozen after %v: a process waits inside the kernel", f.dir, patience)
}

// isFrozen tells that all processes of a cgroup have stopped.
func isFrozen(dir string) (bool, error) {
	events, err := os.ReadFile(filepath.Join(dir, "cgroup.events"))
	if err == nil {
		return strings.Contains(string(events), "frozen 1"), nil
	}
	state, err := os.ReadFile(filepath.Join(dir, "freezer.state"))
	return strings.TrimSpace(string(state)) == "FROZEN", err
}
