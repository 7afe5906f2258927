package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Load returns the running container of that name. It fails with a
// NotFoundError where there is none.
func Load(name string) (State, error) {
	all, err := List()
	if err != nil {
		return State{}, err
	}
	missing := &NotFoundError{Name: name}
	for _, s := range all {
		if s.Pid == 0 || !s.Running() {
			if s.Name == name {
				missing.Status = s.notRunning()
			}
			continue
		}
		if s.Name == name {
			return s, nil
		}
		missing.Running = append(missing.Running, s.Name)
	}
	return State{}, missing
}

// notRunning says why a container is remembered that does not run.
func (s State) notRunning() string {
	switch {
	case s.Stale():
		return "it is stale, since kit was killed; kit clean removes what is left of it"
	case s.Pid == 0:
		return "kit is still building it"
	}
	return "it has ended, and kit is removing what belonged to it"
}

// List returns all that is remembered, by name, also containers that do not run
// any more: what is left of them is to be swept. One whose file cannot be read
// has a name only.
func List() ([]State, error) {
	dir, err := findDir()
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []State
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if !ok || ValidName(name) != nil {
			continue
		}
		s, err := load(dir, name)
		if err != nil {
			s = State{Name: name}
		}
		list = append(list, s)
	}
	return list, nil
}

// Known tells that a container is still remembered, that very one and not a later
// one of its name.
func Known(s State) (bool, error) {
	dir, err := findDir()
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	now, err := load(dir, s.Name)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil && now.KitPid == s.KitPid && now.KitStart == s.KitStart, err
}

func load(dir, name string) (State, error) {
	path := file(dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return State{}, err
	}
	var s State
	if err := json.Unmarshal(text, &s); err != nil {
		return State{}, fmt.Errorf("parse %s: %w", path, err)
	}
	s.Name = name
	return s, nil
}
