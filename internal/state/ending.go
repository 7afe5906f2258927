package state

import "github.com/containerkit/kit/internal/procfs"

// Ending tells that the container's first process has begun to end and is still there: what
// belongs to it goes away piece by piece.
func (s State) Ending() bool {
	return s.Running() && procfs.Ending(s.Pid, s.StartTime)
}
