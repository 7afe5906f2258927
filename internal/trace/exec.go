package trace

import (
	"errors"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/ptrace"
	"github.com/containerkit/kit/internal/trace/state"
)

// A program is the file that a process runs.
type program struct{ dev, ino uint64 }

func programOf(pid int) (program, error) {
	var st unix.Stat_t
	if err := unix.Stat(state.Proc(pid, "exe"), &st); err != nil {
		return program{}, err
	}
	return program{st.Dev, st.Ino}, nil
}

// isKit tells that a process runs this very program, or the copy of it in memory.
func (t *tracer) isKit(pid int) bool {
	if p, err := programOf(pid); err == nil && p == t.self {
		return true
	}
	link, _ := os.Readlink(state.Proc(pid, "exe"))
	return strings.HasPrefix(link, "/memfd:kit")
}

// enterExec lets a thread go before an execve that would not work under a
// tracer: a set-uid program does not get its user's rights then (ptrace(2)).
func (t *tracer) enterExec(th *thread) (detached bool) {
	c := &th.call
	file := c.program()
	ours := c.site.payload || th.proc.command
	if !isPrivileged(th.tid, file) || ours && unix.Geteuid() == 0 {
		return false
	}
	t.unfinished(th)
	switch {
	case th.proc.command:
		t.note(th, "detached before execve: "+path.Base(file)+
			" is a set-uid program, which would not work under ptrace; its calls are not seen")
	case c.site.payload:
		t.note(th, "detached before execve: the command is a set-uid program, "+
			"which would not work under ptrace")
		t.watch(th.proc.pid)
	default:
		t.helper = newHelper(path.Base(file), th.proc.pid, t.threads)
		t.note(th, "detached before execve: "+path.Base(file)+
			" is a set-uid program, which would not work under ptrace; its calls are not seen")
	}
	t.recorder.flush() // before the program prints anything
	t.letGo(th)
	return true
}

// program is the file that an execve or execveat is about to run.
func (c *call) program() string {
	if c.Name == "execve" {
		file, _ := c.frame.Memory.String(c.frame.Args[0])
		return file
	}
	file, _ := c.frame.Memory.String(c.frame.Args[1])
	if dir := int(int32(c.frame.Args[0])); dir != unix.AT_FDCWD && !strings.HasPrefix(file, "/") {
		return path.Join("/", c.frame.Memory.Path(dir), file)
	}
	return file
}

// isPrivileged tells a file, as the thread tid sees it, that gives who executes
// it another's rights: set-uid, set-gid, or capabilities of its own.
func isPrivileged(tid int, file string) bool {
	base := "root"
	if !strings.HasPrefix(file, "/") {
		base = "cwd/"
	}
	file = state.Proc(tid, base) + file
	var st unix.Stat_t
	if unix.Stat(file, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return false
	}
	if st.Mode&(unix.S_ISUID|unix.S_ISGID) != 0 {
		return true
	}
	_, err := unix.Getxattr(file, "security.capability", nil)
	return err == nil
}

// execEvent is the report that an execve has succeeded: the process runs another
// program, and has one thread.
func (t *tracer) execEvent(th *thread) {
	th = t.renamed(th)
	if th.proc.command {
		if t.recorded(th) {
			t.sendExec(th, t.changes(th))
		}
		t.resume(th, 0)
		return
	}
	th.proc.slide = slide(th.proc.pid)
	switch {
	case th.inCall && t.recording && th.call.site.payload:
		t.startPayload(th)
	case th.proc.apart:
		if th.inCall && t.recording {
			t.sendExec(th, t.changes(th))
		}
		t.note(th, "detached: it may live on without kit, and its calls are not recorded")
		t.letGo(th)
	case t.isKit(th.proc.pid):
		t.resume(th, 0)
	case len(t.cfg.Payload) == 0:
		t.startPayload(th)
	default:
		if th.inCall && t.recording {
			t.sendExec(th, t.changes(th))
		}
		t.note(th, "detached: another program than kit, whose calls are not recorded")
		t.letGo(th)
	}
}

// renamed finds the thread that called execve: it now has the process's id.
func (t *tracer) renamed(th *thread) *thread {
	old, err := ptrace.Message(th.tid)
	if err != nil || old == th.tid {
		return th
	}
	caller, ok := t.threads[old]
	if !ok {
		return th
	}
	delete(t.threads, old)
	if t.recorded(th) {
		t.unfinished(th)
	}
	caller.tid = th.tid
	t.threads[th.tid] = caller
	return caller
}

// sendExec sends the event of an execve that has succeeded.
func (t *tracer) sendExec(th *thread, changes []Change) {
	e := t.event(th)
	e.Ret, e.Changes = new(int64), changes
	t.send(th, e)
	th.call.emitted = true
}

// letGo lets a stopped thread run on untraced.
func (t *tracer) letGo(th *thread) {
	delete(t.threads, th.tid)
	t.free(th)
	_ = ptrace.Detach(th.tid) // it may have been killed meanwhile
}

// free lets a stopped thread run on all CPUs again.
func (t *tracer) free(th *thread) {
	if errors.Is(t.unpin(th.tid), unix.EPERM) {
		t.note(th, "the observer has bound it to one CPU, and may not take that back: "+
			"run it with --trace=off")
	}
}

// slide is how far from ours a process's code lies.
func slide(pid int) uint64 { return entry(pid) - entry(unix.Getpid()) }

// entry is where a process's program begins (AT_ENTRY in getauxval(3)).
func entry(pid int) uint64 {
	const atEntry = 9
	auxv := state.Read(pid, "auxv")
	for ; len(auxv) >= 16; auxv = auxv[16:] {
		if nativeUint64(auxv) == atEntry {
			return nativeUint64(auxv[8:])
		}
	}
	return 0
}
