package trace

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/oracle"
	"github.com/containerkit/kit/internal/trace/ptrace"
	"github.com/containerkit/kit/internal/trace/source"
	"github.com/containerkit/kit/internal/trace/syscalls"
)

// A tracer is one run.
type tracer struct {
	cfg      *Config
	recorder *recorder
	log      *oracle.Log
	self     program
	host     picture

	root    int // the process that Run started
	exit    int // its exit status
	ended   bool
	quit    int  // the exit status with which the reader wants to end, 0 for none
	cut     bool // the command has been kept from running
	threads map[int]*thread
	early   map[int]early // stops of threads that nobody has announced yet

	began     bool
	parallel  bool // another thread of ours can run while this one sleeps
	forked    bool // a process was born: kit has read its orders, and waits for us no more
	recording bool // false before the begin mark, and while the command runs
	start     time.Time
	payload   *payload
	affinity  affinity
	following bool // the command is to be recorded, or is
	helper    *helper
	names     map[string]hostname // by UTS namespace
	sockets   map[string]*socket  // by link in /proc/PID/fd; nil for what is not netlink

	stack   ptrace.Stack
	sites   map[uint64]*site
	unknown *site // nothing of ours is on the stack
	frames  map[uintptr][]source.Frame
	command *site // no place in the source: the command made the call
	rows    map[rowKey]*row

	seq    int
	counts map[Class]int
}

// A process is one that is traced, not a thread.
type process struct {
	pid   int
	pids  []int // one for each PID namespace that it can be seen in, see state.Status.PIDs
	side  Side
	apart bool // it may outlive the program
	// It is the command, or one of the command's, and followed.
	command bool
	slide   uint64 // how far from ours its code lies (PIE)
}

// A thread is what the kernel traces.
type thread struct {
	tid    int
	proc   *process
	call   call
	inCall bool
	free   bool // it runs, and system calls do not stop it
	idle   int  // its stops while the command runs
	calmed bool // see calm
}

// An early is the first stop of a thread whose birth has not been reported.
type early struct {
	status unix.WaitStatus
	parent int // the process that has made it
}

// A rowKey is a system call's number, and the architecture that it is a number of.
type rowKey struct {
	arch   uint32
	number int
}

// A row is a row of the table with its parameters taken apart.
type row struct {
	*syscalls.Call
	params []syscalls.Param
}

func newTracer(cfg *Config) (*tracer, error) {
	t := &tracer{
		cfg:      cfg,
		threads:  map[int]*thread{},
		sockets:  map[string]*socket{},
		parallel: runtime.GOMAXPROCS(0) > 1,
		early:    map[int]early{},
		sites:    map[uint64]*site{},
		unknown:  &site{goRuntime: true, origin: Origin{Name: "engine"}},
		frames:   map[uintptr][]source.Frame{},
		command:  &site{origin: Origin{Name: "command"}},
		rows:     map[rowKey]*row{},
		counts:   map[Class]int{},

		following: cfg.Follow,
	}
	var err error
	t.self, err = programOf(unix.Getpid())
	return t, err
}

// adopt takes on the process that Run started and lets it run.
func (t *tracer) adopt(pid int) {
	t.root = pid
	th := &thread{tid: pid, proc: &process{pid: pid, pids: []int{pid}, side: Parent}}
	th.proc.slide = slide(pid)
	t.threads[pid] = th
	t.resume(th, 0)
}

// prepare looks at where we are ourselves, while the tracee starts.
func (t *tracer) prepare() {
	t.host = takePicture(unix.Getpid())
	t.names = map[string]hostname{t.host.ns.Of("uts"): hostHostname()}
}

// loop handles what tracees report until the last of them has ended.
func (t *tracer) loop() {
	for {
		tid, status, err := ptrace.Wait(t.recording && t.parallel && t.forked)
		if err != nil {
			return // ECHILD: none is left
		}
		t.handle(tid, status)
		if t.ended && len(t.threads) == 0 {
			return
		}
	}
}

func (t *tracer) handle(tid int, status unix.WaitStatus) {
	if !status.Stopped() {
		t.gone(tid, status)
		return
	}
	th, ok := t.threads[tid]
	if !ok {
		t.stopEarly(tid, status)
		return
	}
	th.free = false
	if th.proc.command && !t.following {
		t.release(th, status)
		return
	}
	signal := status.StopSignal()
	switch event := ptrace.Event(status); {
	case signal == ptrace.SyscallStop:
		t.syscallStop(th)
	case event == unix.PTRACE_EVENT_CLONE, event == unix.PTRACE_EVENT_FORK,
		event == unix.PTRACE_EVENT_VFORK:
		t.birth(th)
	case event == unix.PTRACE_EVENT_EXEC:
		t.execEvent(th)
	case event == unix.PTRACE_EVENT_STOP && signal != unix.SIGTRAP:
		// Job control has stopped the whole process: it stays stopped.
		_ = ptrace.Listen(tid)
	case event != 0:
		t.resume(th, 0)
	default:
		t.signal(th, signal)
	}
}

// maxIdle is how often a system call stops a thread while the command runs.
// A thread that only waits for the command makes fewer, and its waiting is in
// the record; one that carries the command's input and output makes many more,
// and runs freely from then on.
const maxIdle = 64

// resume lets a thread run on. One that has been killed meanwhile is not there
// any more, and its end is reported by itself.
func (t *tracer) resume(th *thread, signal unix.Signal) {
	th.free = !t.began || !t.recording && th.idle > maxIdle
	if th.free {
		_ = ptrace.Cont(th.tid, signal)
	} else {
		_ = ptrace.Syscall(th.tid, signal)
	}
}

// record turns the record on: every thread that runs freely is interrupted, to
// be resumed with stops at system calls.
func (t *tracer) record() {
	t.recording = true
	for _, th := range t.threads {
		th.idle = 0
		if th.free {
			_ = ptrace.Interrupt(th.tid)
		}
	}
}

// signal passes a signal on, except for the one that is the begin mark.
func (t *tracer) signal(th *thread, signal unix.Signal) {
	if !t.began && signal == unix.SIGSTOP && t.isMark(th) {
		t.begin()
		signal = 0
	}
	if signal == unix.SIGCHLD && !th.proc.command {
		t.checkPayload()
	}
	if signal == unix.SIGUSR1 && t.cfg.Follow && th.proc.pid == t.root {
		t.releaseAll("on request")
		signal = 0
	}
	t.resume(th, signal)
}

func (t *tracer) isMark(th *thread) bool {
	const siTkill = -6 // SI_TKILL in sigaction(2)
	code, sender, err := ptrace.Sender(th.tid)
	return err == nil && code == siTkill && sender == t.root
}

// gone is the end of a thread, and of its process when it is the first.
func (t *tracer) gone(tid int, status unix.WaitStatus) {
	delete(t.early, tid)
	if th, ok := t.threads[tid]; ok {
		delete(t.threads, tid)
		if t.recorded(th) {
			t.unfinished(th) // exit_group, or whatever it was killed in
		}
		if th.proc.command {
			t.adoptOrphans(th.proc.pid)
		}
	}
	if tid != t.root {
		return
	}
	t.ended, t.exit = true, status.ExitStatus()
	if status.Signaled() {
		t.exit = 128 + int(status.Signal())
	}
	// What is left of kit ends with it, as it would with us (PTRACE_O_EXITKILL). What is
	// left of the command is nobody's business.
	t.releaseAll("kit has ended, what is left of the command lives on")
	for tid, th := range t.threads {
		if !th.proc.command {
			unix.Kill(tid, unix.SIGKILL)
		}
	}
}
