package trace

import (
	"bytes"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/scene"
	"github.com/containerkit/kit/internal/trace/state"
)

// A payload is the user's command, which runs untraced, or is followed. While it runs,
// kit only waits, and is not recorded.
type payload struct {
	pid int
	fd  int // a pidfd (pidfd_open(2)), -1 without
}

// startPayload shows what the process has become, and lets it go, or follows it.
func (t *tracer) startPayload(th *thread) {
	if th.inCall && t.recording {
		now := takePicture(th.proc.pid)
		t.sendExec(th, convert(t.host.diff(&now, th.proc.pid)))
		t.scene(scene.Run, th.proc.pid)
	}
	if t.following {
		t.follow(th)
		return
	}
	t.note(th, "detached: the command runs untraced, at full speed")
	t.watch(th.proc.pid)
	t.recorder.flush() // before the command prints anything
	t.letGo(th)
	go debug.FreeOSMemory() // the command may run for long
}

// watch stops the record until the command has ended.
func (t *tracer) watch(pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		fd = -1
	}
	t.payload = &payload{pid, fd}
	t.recording = false
}

// checkPayload turns the record on again once the command has ended.
func (t *tracer) checkPayload() {
	if t.payload == nil || !t.payload.ended() {
		return
	}
	unix.Close(t.payload.fd)
	t.payload = nil
	t.record()
}

func (p *payload) ended() bool {
	if p.fd >= 0 {
		poll := []unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}
		n, err := unix.Poll(poll, 0)
		return err == nil && n > 0
	}
	stat := state.Read(p.pid, "stat")
	i := bytes.LastIndexByte(stat, ')')
	return stat == nil || i > 0 && i+2 < len(stat) && stat[i+2] == 'Z'
}

// A picture is all that tells where a process is and what it may do.
type picture struct {
	program string
	ns      state.Namespaces
	status  state.Status
	links   state.Links
	cgroup  string
}

func takePicture(pid int) picture {
	program, _ := os.Readlink(state.Proc(pid, "exe"))
	return picture{
		program, state.ReadNamespaces(pid), state.ReadStatus(pid),
		state.ReadLinks(pid), state.Cgroup(pid),
	}
}

// diff tells what is different about the process pid.
func (p *picture) diff(now *picture, pid int) []state.Change {
	changes := state.File{What: state.Proc(pid, "exe"), Value: p.program}.
		Diff(state.File{Value: now.program})
	changes = append(changes, p.ns.Diff(&now.ns, pid)...)
	changes = append(changes, p.status.Diff(&now.status, pid)...)
	changes = append(changes, p.links.Diff(&now.links, pid)...)
	cgroup := state.File{What: state.Proc(pid, "cgroup"), Value: p.cgroup}
	return append(changes, cgroup.Diff(state.File{Value: now.cgroup})...)
}
