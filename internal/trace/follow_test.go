package trace

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// followed is observe with the command's own calls.
func followed(t *testing.T, role string) (events, int) {
	t.Helper()
	var sink events
	exit := observeWith(t, role, Config{Sink: &sink, Follow: true})
	return sink, exit
}

// commands are the calls of the command.
func (s events) commands() (list events) {
	for _, e := range s {
		if e.Kind == Syscall && e.Class == Command {
			list = append(list, e)
		}
	}
	return list
}

func (s events) noted(text string) bool {
	for _, e := range s {
		if e.Kind == Note && strings.Contains(e.Text, text) {
			return true
		}
	}
	return false
}

func TestFollow(t *testing.T) {
	s, exit := followed(t, "run=unshare -U true; (exec /bin/true); exit 6")
	require.Equal(t, 6, exit)
	list := s.commands()
	for _, e := range list {
		require.Equal(t, []any{0, "command", "", "", Child},
			[]any{e.Step, e.Name, e.Moment, e.File, e.Side})
	}
	require.Equal(t, []string{"execve", "unshare", "execve", "execve"}, withoutRepeats(list))
	for _, e := range list {
		if e.Call == "unshare" && e.Errno == "" {
			require.Equal(t, "CLONE_NEWUSER", e.Args[0].Text)
			_, ok := e.changed("ns/user")
			require.True(t, ok)
		}
	}
	require.True(t, s.noted("followed: "))
	s.path(t, "/cleanup") // the record of kit itself goes on
}

// withoutRepeats are the names of calls, without execve's search along PATH.
func withoutRepeats(list events) (names []string) {
	for _, e := range list {
		if e.Errno == "" {
			names = append(names, e.Call)
		}
	}
	return names
}

func TestFollowFailures(t *testing.T) {
	s, exit := followed(t, "run=mount -t tmpfs none /does/not/exist || exit 9")
	require.Equal(t, 9, exit)
	for _, e := range s.commands() {
		if e.Call == "mount" || e.Call == "fsopen" || e.Call == "open_tree" {
			require.NotEmpty(t, e.Errno)
			require.NotEmpty(t, e.Meaning)
			return
		}
	}
	if os.Geteuid() == 0 {
		require.Fail(t, "no mount")
	}
}

// TestRobust is what programs do that make life hard for a tracer: none hangs, and
// none loses its exit status, whether it is followed or not.
func TestRobust(t *testing.T) {
	for role, want := range map[string]int{
		"run=exec-elsewhere": 21, "run=killed-in-call": 137, "run=stops-itself": 22,
		"run=first-thread-ends": 23, "run=kill -STOP $$; exit 4": 4, "stopped": 4,
		"run=kill -9 $$": 137, "run=sleep 1 & kill -9 $$": 137,
		"run=(kill -STOP $(sh -c 'echo $PPID'); exit 3) & sleep .1; kill -CONT $!; wait $!": 3,
		"parent=init exit 9": 9, "parent=(sleep 60 &); exit 5": 5,
	} {
		t.Run(role, func(t *testing.T) {
			s, exit := observe(t, role)
			require.Equal(t, want, exit)
			require.Equal(t, End, s[len(s)-1].Kind)
			s, exit = followed(t, role)
			require.Equal(t, want, exit)
			require.Equal(t, End, s[len(s)-1].Kind)
		})
	}
}

// TestDaemon is a command that leaves something behind that lives longer than kit:
// with nobody to trace it.
func TestDaemon(t *testing.T) {
	for _, follow := range []bool{false, true} {
		file := filepath.Join(t.TempDir(), "daemon")
		sh := "run=( (until grep -q 'TracerPid:.0$' /proc/self/status; do sleep .01; done; " +
			"echo done >" + file + ") & ); exit 3"
		var sink events
		require.Equal(t, 3, observeWith(t, sh, Config{Sink: &sink, Follow: follow}))
		require.Eventually(t, func() bool {
			text, _ := os.ReadFile(file)
			return string(text) == "done\n"
		}, 30*time.Second, 10*time.Millisecond)
	}
}

// TestFollowSetUID lets a set-uid program go, which would not work otherwise.
func TestFollowSetUID(t *testing.T) {
	ktest.User(t)
	info, err := os.Stat("/bin/su")
	if err != nil || info.Mode()&os.ModeSetuid == 0 {
		t.Skip("no set-uid program that does no harm")
	}
	s, exit := followed(t, "run=su --version; (exit 8); exit $?")
	require.Equal(t, 8, exit)
	require.True(t, s.noted("detached before execve: su is a set-uid program"))
}

func TestFollowTracer(t *testing.T) {
	_, exit := observe(t, "run=traces")
	require.Zero(t, exit)
	s, exit := followed(t, "run=traces")
	require.Equal(t, 24, exit)
	require.True(t, s.noted("a process has one tracer"))
}

// asker asks, as a reader would, that the command be let go once it has been followed
// for some calls.
type asker struct {
	events
	root, after int
}

func (a *asker) Event(e *Event) error {
	a.events = append(a.events, e)
	if e.Class == Command {
		if a.after--; a.after == 0 {
			unix.Kill(a.root, unix.SIGUSR1)
		}
	}
	return nil
}

func TestFollowUntilAsked(t *testing.T) {
	for after := range 12 {
		for _, role := range []string{"run=waits-untraced", "run=bursts"} {
			a := &asker{after: 1 + after%3 + after/3}
			if role == "run=waits-untraced" {
				a.after = 1
			}
			exit := observeWith(t, role, Config{
				Sink: a, Follow: true, Started: func(pid int) { a.root = pid },
			})
			require.Equal(t, 25, exit, "%s after %d", role, after)
			require.True(t, a.noted("detached: on request"))
			a.path(t, "/cleanup")
		}
	}
}

// counter counts what a command does, and how much memory that takes.
type counter struct {
	n                 int
	pids              map[int]bool
	atFirst, atLast   uint64
	sampleA, sampleB  int
	unexpectedChanges int
}

func (c *counter) Event(e *Event) error {
	if e.Class != Command || e.Call != "write" {
		return nil
	}
	c.n++
	c.pids[e.PID] = true
	if change, ok := e.changed("/oom_score_adj"); !ok || change.After != "500" {
		c.unexpectedChanges++
	}
	switch c.n {
	case c.sampleA:
		c.atFirst = heap()
	case c.sampleB:
		c.atLast = heap()
	}
	return nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestManyForks follows 10,000 processes, each of which makes one call that counts.
func TestManyForks(t *testing.T) {
	n := 10000
	if testing.Short() {
		n = 500
	}
	c := &counter{pids: map[int]bool{}, sampleA: n / 10, sampleB: n}
	sh := "run=i=0; while [ $i -lt " + strconv.Itoa(n) + " ]; do " +
		"(echo 500 >/proc/self/oom_score_adj); i=$((i+1)); done; exit 17"
	require.Equal(t, 17, observeWith(t, sh, Config{Sink: c, Follow: true}))
	require.Equal(t, n, c.n)
	require.Zero(t, c.unexpectedChanges)
	require.Less(t, float64(c.atLast)-float64(c.atFirst), 3e6, "bytes kept of processes that ended")
}

// TestAffinity is a command that may use the CPUs that its caller may, whatever the
// observer has done to be fast.
func TestAffinity(t *testing.T) {
	own, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, list, _ := strings.Cut(string(own), "Cpus_allowed_list:\t")
	list, _, _ = strings.Cut(list, "\n")
	same := "grep -q \"Cpus_allowed_list:.\"'" + list + "$' /proc/self/status"
	for _, role := range []string{"run=" + same + " ; exit $?", "parent=" + same} {
		_, exit := observe(t, role)
		require.Zero(t, exit, role)
		_, exit = followed(t, role)
		require.Zero(t, exit, role)
	}
	after, err := os.ReadFile("/proc/thread-self/status")
	require.NoError(t, err)
	require.Contains(t, string(after), "Cpus_allowed_list:\t"+list+"\n")
}

// other32 is the architecture whose 32-bit programs this machine's kernel may run.
var other32 = map[string]string{"amd64": "386", "arm64": "arm"}[runtime.GOARCH]

const program32 = `package main

import "syscall"

func main() {
	syscall.Mount("none", "/does/not/exist", "tmpfs", syscall.MS_NOSUID, "")
	if _, _, e := syscall.RawSyscall(syscall.SYS_UNSHARE, syscall.CLONE_NEWUSER, 0, 0); e != 0 {
		syscall.Exit(1)
	}
	syscall.Exit(26)
}
`

func TestOther32(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	ktest.RequireTool(t, "go")
	dir, err := os.MkdirTemp("", "trace32-")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	require.NoError(t, os.Chmod(dir, 0o755))
	file := filepath.Join(dir, "program")
	require.NoError(t, os.WriteFile(file+".go", []byte(program32), 0o644))
	build := exec.Command("go", "build", "-o", file, file+".go")
	build.Env = append(os.Environ(), "GOARCH="+other32, "CGO_ENABLED=0", "GOFLAGS=")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	if err := exec.Command(file).Run(); err != nil && strings.Contains(err.Error(), "exec format") {
		t.Skip("this kernel runs no 32-bit programs")
	}
	_, exit := observe(t, "run="+file+" ; exit $?")
	require.Contains(t, []int{1, 26}, exit)
	s, exit := followed(t, "run="+file+" ; exit $?")
	require.Contains(t, []int{1, 26}, exit)
	var mount, unshare bool
	for _, e := range s.commands() {
		switch e.Call {
		case "mount":
			mount = true
			require.Equal(t, `"/does/not/exist"`, e.Args[1].Text)
			require.Equal(t, "MS_NOSUID", e.Args[3].Text)
			require.NotEmpty(t, e.Errno)
		case "unshare":
			unshare = true
			require.Equal(t, "CLONE_NEWUSER", e.Args[0].Text)
		}
	}
	require.True(t, mount && unshare)
}
