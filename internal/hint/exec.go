package hint

import (
	"github.com/containerkit/kit/internal/container"
)

// forExec says why a command could not be started, as seen from inside.
func forExec(e *container.ExecError) []string {
	if e.Path == "" {
		return []string{"it is looked for inside the container, not on the host"}
	}
	return nil
}

// forClone says why new namespaces could not be made.
func forClone(*container.CloneError) []string { return nil }
