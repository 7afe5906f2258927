package trace

import (
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/netlink"
	"github.com/containerkit/kit/internal/trace/ptrace"
	"github.com/containerkit/kit/internal/trace/state"
	"github.com/containerkit/kit/internal/trace/syscalls"
)

// A call is a system call that a thread is in. Threads make one at a time, so
// each reuses its own.
type call struct {
	*row
	frame   syscalls.Frame
	site    *site
	class   Class
	time    time.Duration // since the begin, when the kernel was asked
	let     time.Duration // and when the observer let it go on
	args    []Arg
	before  snapshot
	socket  *socket           // of a call that speaks with the kernel over netlink
	request []netlink.Message // what it says
	emitted bool              // its event is out though it has not returned yet, or not wanted
	errno   unix.Errno        // what it fails with instead of being made
}

// syscallStop is a stop at the entry or the exit of a system call.
func (t *tracer) syscallStop(th *thread) {
	if !th.proc.command {
		t.checkPayload()
	}
	var info ptrace.Info
	if info.Read(th.tid) != nil || !t.recording && !th.proc.command && !t.idle(th, &info) {
		t.resume(th, 0)
		return
	}
	switch info.Op {
	case unix.PTRACE_SYSCALL_INFO_ENTRY:
		if t.enter(th, &info) {
			return // let go
		}
		th.call.let = time.Since(t.start)
	case unix.PTRACE_SYSCALL_INFO_EXIT:
		if th.inCall {
			t.leave(th, &info)
		}
	}
	t.resume(th, 0)
}

// idle is a stop while the command runs: nothing is recorded then, but a call
// that waits may well return when the command has ended, and is looked at.
func (t *tracer) idle(th *thread, info *ptrace.Info) (look bool) {
	if th.inCall && th.call.errno != 0 && info.Op == unix.PTRACE_SYSCALL_INFO_EXIT {
		return true // it is yet to be made to fail
	}
	th.inCall = false
	if info.Op == unix.PTRACE_SYSCALL_INFO_ENTRY {
		name := t.row(info).Name
		look = name == "wait4" || name == "waitid"
	}
	if !look {
		th.idle++
	}
	return look
}

// enter notes all that can be known about a call only before it happens. It
// returns true when it has detached the thread.
func (t *tracer) enter(th *thread, info *ptrace.Info) (detached bool) {
	c := &th.call
	*c = call{
		row:   t.row(info),
		frame: syscalls.Frame{Args: info.Args(), Memory: memory{t, th}},
		time:  time.Since(t.start),
		args:  c.args[:0],
	}
	th.inCall = true
	if c.Changes&(syscalls.Netlink|syscalls.Answer) != 0 {
		c.socket = t.socketOf(th, int(int32(c.frame.Args[0])))
	}
	if th.proc.command {
		return t.enterCommand(th)
	}
	c.site = t.siteAt(th, info)
	c.class = c.site.class(c.relevant)
	if c.class == Runtime && c.Name == "nanosleep" {
		th.calm()
	}
	t.readCall(th)
	if c.class == Lesson {
		t.intervene(th)
		t.log.Mark()
	}
	if c.errno == 0 && c.isExec() {
		return t.enterExec(th)
	}
	return false
}

// readCall reads what a call says, and the state that it may change.
func (t *tracer) readCall(th *thread) {
	c := &th.call
	if c.socket != nil && c.class != Runtime {
		t.readRequest(th)
	}
	if t.wants(c.class) {
		c.args = c.decode(c.args)
	}
	if c.Changes != 0 && c.class != Runtime {
		c.before = t.snap(th)
	}
}

func (c *call) isExec() bool { return c.Name == "execve" || c.Name == "execveat" }

// calm lets a thread of the Go runtime that looks after the others every 20 µs
// oversleep: each look costs two stops, and all of them look busy under a tracer. It
// is a timer slack (proc_pid_timerslack_ns(5)), which the command does not inherit:
// another thread starts it. Where it cannot be set, the record is only longer.
func (th *thread) calm() {
	if !th.calmed {
		th.calmed = true
		_ = os.WriteFile(state.Proc(th.tid, "timerslack_ns"), []byte("1000000"), 0)
	}
}

// wants tells for which classes the reader wants to know all.
func (t *tracer) wants(class Class) bool { return t.cfg.Detail == nil || t.cfg.Detail(class) }

func (t *tracer) row(info *ptrace.Info) *row {
	key := rowKey{info.Arch, info.Number()}
	r, ok := t.rows[key]
	if !ok {
		found := syscalls.FindIn(info.Arch, key.number)
		r = &row{found, found.List()}
		t.rows[key] = r
	}
	return r
}

// decode renders the arguments, those included that the kernel is yet to fill in.
func (c *call) decode(args []Arg) []Arg {
	n := len(c.params)
	for n > 0 && c.params[n-1].Rest() && c.frame.Args[n-1] == 0 {
		n--
	}
	for i, p := range c.params[:n] {
		args = append(args, Arg{p.Name, c.frame.Args[i], p.Text(&c.frame, i)})
	}
	return args
}

// relevant tells that a call builds containers, whoever makes it.
func (c *call) relevant() bool {
	switch {
	case c.Relevant:
		return true
	case c.Changes&syscalls.File != 0:
		fd, m := int(int32(c.frame.Args[0])), c.frame.Memory.(memory)
		return state.Tells(m.th.tid, fd, m.Path(fd))
	case c.Changes&syscalls.Netlink != 0:
		return c.socket != nil
	}
	return false
}

// leave completes a call that has returned, and sends its event.
func (t *tracer) leave(th *thread, info *ptrace.Info) {
	th.inCall = false
	c := &th.call
	if c.emitted {
		return
	}
	if c.errno != 0 {
		info.Fail(th.tid, c.errno)
	}
	ret := info.Return()
	took := time.Since(t.start) - c.let
	e := t.event(th)
	if c.Name == "rt_sigreturn" {
		t.send(th, e) // it goes back to where a signal came, and does not return here
		return
	}
	e.Ret, e.Took = &ret, took.Nanoseconds()
	if info.Failed() {
		e.Errno, e.Meaning = syscalls.Errno(-ret)
		e.Meaning = t.meaning(th, e)
	} else {
		c.frame.Return, c.frame.Returned = ret, true
		c.fill(e.Args)
		e.RetText = c.Result(&c.frame)
		e.Changes = t.changes(th)
		if c.socket != nil && c.class != Runtime {
			t.netlink(th, e)
		}
		t.decodeFilter(th, e)
	}
	t.send(th, e)
	t.checkHelper(th)
	t.checkTracer(th, e)
}

// recorded tells that the call is to be in the record that a thread is in.
func (t *tracer) recorded(th *thread) bool {
	return th.inCall && !th.call.emitted && (t.recording || th.proc.command)
}

// fill renders what the kernel has filled in.
func (c *call) fill(args []Arg) {
	for i, p := range c.params {
		if p.Out() && i < len(args) {
			args[i].Text = p.Text(&c.frame, i)
		}
	}
}

// unfinished sends the event of a call that will not return.
func (t *tracer) unfinished(th *thread) {
	if !th.call.emitted {
		t.send(th, t.event(th))
	}
}

// event is what is known of a thread's call before its result.
func (t *tracer) event(th *thread) *Event {
	c := &th.call
	return &Event{
		V: Version, Kind: Syscall, T: c.time.Nanoseconds(),
		PID: th.proc.pid, TID: th.tid, NSPID: th.proc.nspid(), Side: th.proc.side,
		Class: c.class, Call: c.Name, Args: slices.Clone(c.args), Injected: c.errno != 0,
	}
}

// nspid is the process's own idea of its PID.
func (p *process) nspid() int { return p.pids[len(p.pids)-1] }

// send numbers the event of a call that th has made, and records it.
func (t *tracer) send(th *thread, e *Event) {
	t.seq++
	e.Seq = t.seq
	t.counts[e.Class]++
	t.recorder.add(e, th.call.site)
}

// note tells the reader something about a thread.
func (t *tracer) note(th *thread, text string) { t.noteChange(th, text) }

func (t *tracer) noteChange(th *thread, text string, changes ...Change) {
	e := &Event{
		V: Version, Kind: Note, T: time.Since(t.start).Nanoseconds(),
		PID: th.proc.pid, TID: th.tid, NSPID: th.proc.nspid(), Side: th.proc.side,
		Text: text, Changes: changes,
	}
	if th.proc.command {
		e.Class = Command
	}
	t.recorder.add(e, nil)
}

// A memory is a stopped thread's, and its open files.
type memory struct {
	t  *tracer
	th *thread
}

func (m memory) Read(addr uint64, buf []byte) int { return ptrace.Read(m.th.tid, addr, buf) }

func (m memory) String(addr uint64) (string, bool) {
	return ptrace.String(m.th.tid, addr, unix.PathMax)
}

func (m memory) Path(fd int) string {
	var buf [256]byte
	n, err := unix.Readlink(state.Proc(m.th.tid, "fd/"+strconv.Itoa(fd)), buf[:])
	if err != nil {
		return ""
	}
	if n == 1 && m.isDetached(fd) {
		return "detached mount"
	}
	if s := m.t.socketOf(m.th, fd); s != nil {
		return s.String()
	}
	return string(buf[:n])
}

// isDetached tells a mount that open_tree(2) or fsmount(2) has made, and that is
// not in the tree of files yet, from the root: the kernel calls both "/".
func (m memory) isDetached(fd int) bool {
	var root, file unix.Stat_t
	return unix.Stat(state.Proc(m.th.tid, "root"), &root) == nil &&
		unix.Stat(state.Proc(m.th.tid, "fd/"+strconv.Itoa(fd)), &file) == nil &&
		(root.Dev != file.Dev || root.Ino != file.Ino)
}
