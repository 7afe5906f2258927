package trace

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/ptrace"
	"github.com/containerkit/kit/internal/trace/state"
)

// birth is the report that a thread has made another, or a process. The call
// has succeeded by then, though with vfork it returns only much later; its event
// is sent here, so that it comes before those of the child.
func (t *tracer) birth(th *thread) {
	tid, err := ptrace.Message(th.tid)
	if err != nil {
		t.resume(th, 0)
		return
	}
	if _, ok := t.threads[tid]; ok {
		t.resume(th, 0) // it was taken for an orphan
		return
	}
	child := t.newThread(th, tid)
	t.resume(th, 0)
	t.meet(child)
}

// newThread takes on the new thread tid that th has made, and records that.
func (t *tracer) newThread(th *thread, tid int) *thread {
	child := &thread{tid: tid, proc: th.proc}
	if !t.isThread(th, tid) {
		child.proc = t.newProcess(th, tid)
		t.forked = true
	}
	t.threads[tid] = child
	if t.recorded(th) {
		t.sendBirth(th, child)
	}
	return child
}

// isThread tells whether the new tid is one more thread of th's process.
func (t *tracer) isThread(th *thread, tid int) bool {
	if th.inCall {
		return th.call.CloneFlags(&th.call.frame)&unix.CLONE_THREAD != 0
	}
	_, err := os.Stat(state.Proc(th.proc.pid, "task/"+strconv.Itoa(tid)))
	return err == nil
}

func (t *tracer) newProcess(parent *thread, pid int) *process {
	p := &process{
		pid: pid, side: parent.proc.side, slide: parent.proc.slide, command: parent.proc.command,
	}
	status := state.ReadStatus(pid)
	p.pids = status.PIDs()
	if len(p.pids) == 0 {
		p.pids = []int{pid}
	}
	p.apart = parent.inCall && parent.call.site.apart
	if parent.inCall && parent.call.site.birth != "" {
		p.side = parent.call.site.birth
	}
	return p
}

// sendBirth sends the event of the call by which th has made child.
func (t *tracer) sendBirth(th, child *thread) {
	e := t.event(th)
	ret := int64(child.tid)
	if child.proc != th.proc {
		ret = int64(child.proc.seenFrom(th.proc))
		e.RetText = strconv.Itoa(child.tid)
		if inside := child.proc.nspid(); inside != child.tid {
			e.RetText += fmt.Sprintf(" (%d inside)", inside)
		}
		e.Changes = t.birthChanges(th, child)
	}
	e.Ret = &ret
	t.send(th, e)
	th.call.emitted = true
}

// seenFrom is p's pid in the PID namespace of another process.
func (p *process) seenFrom(other *process) int {
	if depth := len(other.pids); depth <= len(p.pids) {
		return p.pids[depth-1]
	}
	return p.pid
}

// birthChanges are the namespaces in which the child is and its parent is not, and
// the cgroup that it was born in.
func (t *tracer) birthChanges(th, child *thread) []Change {
	parents, childs := state.ReadNamespaces(th.tid), state.ReadNamespaces(child.tid)
	t.inheritHostname(&parents, &childs, true)
	list := parents.Diff(&childs, child.tid)
	if th.call.CloneFlags(&th.call.frame)&unix.CLONE_INTO_CGROUP != 0 {
		cgroup := state.File{What: state.Proc(child.tid, "cgroup"), Value: state.Unified(th.tid)}
		list = append(list, cgroup.Diff(state.File{Value: state.Unified(child.tid)})...)
	}
	return convert(list)
}
