package cgroup

import "fmt"

// A MissingError tells that a running container has no cgroup of its own: it is in
// that of the kit that started it.
type MissingError struct {
	Name     string
	Step     int // how many steps built it
	Rootless bool
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("container %s (step %d) has no cgroup of its own", e.Name, e.Step)
}
