package trace

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/scene"
)

// scene records what the kernel shows at a moment. The command is the process of that
// name, 0 while there is none.
func (t *tracer) scene(m scene.Moment, command int) {
	if !t.cfg.Scenes {
		return
	}
	subjects := []scene.Subject{{Pid: unix.Getpid(), Role: "host"}}
	var pids []int
	for _, th := range t.threads {
		if pid := th.proc.pid; pid != command && !slices.Contains(pids, pid) {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	for _, pid := range pids {
		subjects = append(subjects, scene.Subject{Pid: pid, Role: "kit"})
	}
	if command != 0 {
		subjects = append(subjects, scene.Subject{Pid: command, Role: "command"})
	}
	now := time.Since(t.start).Nanoseconds()
	t.recorder.add(&Event{V: Version, Kind: Still, T: now, Scene: scene.Take(m, subjects)}, nil)
}
