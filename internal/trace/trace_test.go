package trace

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

const thisPackage = "github.com/containerkit/kit/internal/trace"

// events is a Sink that keeps what it gets.
type events []*Event

func (s *events) Event(e *Event) error {
	*s = append(*s, e)
	return nil
}

// observe runs one of the programs in tracee_test.go.
func observe(t *testing.T, role string) (events, int) {
	t.Helper()
	var sink events
	exit := observeWith(t, role, Config{Sink: &sink})
	return sink, exit
}

// observeWith is observe with a sink, and whatever else is in cfg.
func observeWith(t *testing.T, role string, cfg Config) int {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	require.NoError(t, err)
	defer null.Close()
	cfg.Path, cfg.Argv = "/proc/self/exe", []string{"tracee"}
	cfg.Env = append(os.Environ(), roleEnv+"="+role)
	cfg.Files = []*os.File{null, os.Stdout, os.Stderr}
	cfg.Packages = []string{thisPackage}
	cfg.Module, cfg.Sources = "github.com/containerkit/kit", os.DirFS("../..")
	cfg.Origins = map[string]Origin{
		thisPackage + ".before": {1, "test", "Before"},
		thisPackage + ".inside": {2, "more", "Inside"},
	}
	cfg.Births = map[string]Side{
		thisPackage + ".startTestChild": Child, thisPackage + ".startTestCommand": Child,
	}
	cfg.Payload = map[string]bool{
		thisPackage + ".execTest": true, thisPackage + ".initTest": true,
		thisPackage + ".stopped": true, thisPackage + ".startTestCommand": true,
	}
	exit, err := Run(cfg)
	require.NoError(t, err)
	return exit
}

// find returns the only call of a name that is a lesson.
func (s events) find(t *testing.T, name string) *Event {
	t.Helper()
	var found *Event
	for _, e := range s {
		if e.Call == name && e.Class == Lesson {
			require.Nil(t, found, "second %s", name)
			found = e
		}
	}
	require.NotNil(t, found, "no %s", name)
	return found
}

// path finds the call whose second or first argument is a path.
func (s events) path(t *testing.T, path string) *Event {
	t.Helper()
	for _, e := range s {
		for _, a := range e.Args {
			if a.Text == strconv.Quote(path) {
				return e
			}
		}
	}
	require.Fail(t, "no call", "with %s", path)
	return nil
}

// changed returns what became of a piece of state, and whether something did.
func (e *Event) changed(what string) (Change, bool) {
	i := slices.IndexFunc(e.Changes, func(c Change) bool { return strings.HasSuffix(c.What, what) })
	if i < 0 {
		return Change{}, false
	}
	return e.Changes[i], true
}

func TestContainer(t *testing.T) {
	s, exit := observe(t, "parent=exit 3")
	require.Equal(t, 3, exit)
	require.Equal(t, Begin, s[0].Kind)
	require.Equal(t, os.Geteuid() != 0, *s[0].Rootless)
	last := s[len(s)-1]
	require.Equal(t, End, last.Kind)
	require.Equal(t, 3, *last.Exit)

	counts, seq := map[Class]int{}, 0
	for _, e := range s {
		if e.Kind == Syscall {
			seq++
			counts[e.Class]++
			require.Equal(t, seq, e.Seq)
		}
	}
	require.Equal(t, counts, last.Syscalls)

	clone := s.find(t, "clone")
	require.Equal(t, Parent, clone.Side)
	require.Contains(t, clone.RetText, "(1 inside)")
	require.Equal(t, "Born with new namespaces.", clone.Why)
	require.Equal(t, "startTestChild", clone.Func)
	for _, kind := range []string{"mnt", "pid", "uts"} {
		change, ok := clone.changed("ns/" + kind)
		require.True(t, ok, kind)
		require.NotEqual(t, change.Before, change.After)
	}
	_, ok := clone.changed("ns/net")
	require.False(t, ok)
}

func TestOriginsAndSides(t *testing.T) {
	s, _ := observe(t, "parent=true")
	mkdir, name, rmdir := s.find(t, "mkdirat"), s.find(t, "sethostname"), s.path(t, "/bin/sh")
	require.Equal(t, []any{1, "test", "Before", Parent},
		[]any{mkdir.Step, mkdir.Name, mkdir.Moment, mkdir.Side})
	require.Equal(t, []any{2, "more", "Inside", Child},
		[]any{name.Step, name.Name, name.Moment, name.Side})
	require.Equal(t, []any{0, "engine", "", Child},
		[]any{rmdir.Step, rmdir.Name, rmdir.Moment, rmdir.Side})
	require.Equal(t, 1, name.NSPID)
	require.Equal(t, "Not comment of the first line only.", name.Why)
}

func TestChanges(t *testing.T) {
	s, _ := observe(t, "parent=true")
	change, ok := s.find(t, "sethostname").changed("hostname")
	require.True(t, ok)
	host, err := os.Hostname()
	require.NoError(t, err)
	require.Equal(t, Change{What: "hostname", Before: host, After: "inside"}, change)

	change, ok = s.find(t, "prctl").changed("NoNewPrivs")
	require.True(t, ok)
	require.Equal(t, []string{"0", "1"}, []string{change.Before, change.After})

	dir := s.find(t, "mkdirat").Args[1].Text
	var mounted []Change
	for _, e := range s {
		if e.Call == "mount" && e.Args[1].Text == dir {
			mounted = e.Changes
		}
	}
	require.Len(t, mounted, 1)
	require.Equal(t, "mount "+strings.Trim(dir, `"`), mounted[0].What)
	require.Empty(t, mounted[0].Before)
	require.Contains(t, mounted[0].After, "tmpfs")
}

func TestIDMaps(t *testing.T) {
	ktest.User(t)
	s, _ := observe(t, "parent=true")
	var seen []string
	for _, e := range s {
		for _, c := range e.Changes {
			if strings.HasSuffix(c.What, "_map") {
				require.Equal(t, "write", e.Call)
				require.Equal(t, Lesson, e.Class)
				seen = append(seen, filepath.Base(c.What)+" "+c.After)
			}
		}
	}
	uid, gid := strconv.Itoa(os.Getuid()), strconv.Itoa(os.Getgid())
	require.Equal(t, []string{"uid_map 0 " + uid + " 1", "gid_map 0 " + gid + " 1"}, seen)
}

func TestPayloadRunsFree(t *testing.T) {
	for _, role := range []string{
		"parent=! grep -v TracerPid:.0$ /proc/self/status | grep -E 'TracerPid|Seccomp:.[^0]'",
		"parent=init ! grep -v TracerPid:.0$ /proc/self/status | grep -E 'TracerPid|Seccomp:.[^0]'",
	} {
		s, exit := observe(t, role)
		require.Zero(t, exit, role)
		exec := s.path(t, "/bin/sh")
		require.Equal(t, "execve", exec.Call)
		require.EqualValues(t, 0, *exec.Ret)
		change, ok := exec.changed("/exe")
		require.True(t, ok)
		require.NotEqual(t, change.Before, change.After)
		i := slices.Index(s, exec)
		require.Equal(t, Note, s[i+1].Kind)
		// The parent's clean-up is in the record again.
		require.Equal(t, "after", s.find(t, "unlinkat").Func)
	}
}

func TestExitStatus(t *testing.T) {
	for role, want := range map[string]int{
		"silent=0": 0, "silent=42": 42, "signals": 5, "killed": 137, "orphan": 8,
		"parent=exit 9": 9, "parent=init exit 9": 9, "stopped": 4,
	} {
		_, exit := observe(t, role)
		require.Equal(t, want, exit, role)
	}
}

func TestNoMark(t *testing.T) {
	s, _ := observe(t, "silent=0")
	require.Empty(t, s)
}

func TestLines(t *testing.T) {
	s, exit := observe(t, "lines")
	require.Zero(t, exit)
	for _, want := range []struct {
		path, function, code, why string
		class                     Class
	}{
		{"/inlined", "inlined", `_ = unix.Access("/inlined", unix.R_OK)`, "Inlined.", Lesson},
		{
			"/header", "lines", `if err := unix.Access("/header", unix.R_OK); err == nil {`,
			"In the header of an if.", Lesson,
		},
		{"/several", "lines", `_ = unix.Faccessat(unix.AT_FDCWD,`, "Over several lines.", Lesson},
		{"/closure", "lines", `_ = unix.Access("/closure", unix.R_OK)`, "In a closure.", Lesson},
		{"/bare", "bare", `_ = unix.Access("/bare", unix.R_OK)`, "", Lesson},
		{"/library", "lines", `_, _ = os.Stat("/library")`, "By the standard library.", Bookkeeping},
		{
			"/does/not/exist", "lines", `_ = os.Mkdir("/does/not/exist", 0o700)`,
			"By the standard library, but not mere bookkeeping.", Lesson,
		},
	} {
		e := s.path(t, want.path)
		require.Equal(t, "internal/trace/tracee_test.go", e.File)
		require.Equal(t, want.function, e.Func)
		require.Equal(t, want.code, e.Code)
		require.Equal(t, want.why, e.Why)
		require.Equal(t, want.class, e.Class, want.path)
	}
	i := slices.IndexFunc(s, func(e *Event) bool { return e.Call == "exit_group" })
	require.Positive(t, i)
	require.Nil(t, s[i].Ret)
}

// TestBuild is TestLines and others in a binary that was built in another way:
// elsewhere in memory, without symbols, without the directories of this machine.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a binary")
	}
	binary := filepath.Join(t.TempDir(), "trace.test")
	out, err := exec.Command("go", "test", "-c", "-o", binary,
		"-buildmode=pie", "-trimpath", "-ldflags=-s -w").CombinedOutput()
	require.NoError(t, err, string(out))
	const tests = "^(TestLines|TestContainer|TestPayloadRunsFree)$"
	out, err = exec.Command(binary, "-test.run="+tests).CombinedOutput()
	require.NoError(t, err, string(out))
}

func TestMeanings(t *testing.T) {
	s, _ := observe(t, "denied")
	chdir := s.find(t, "chdir")
	require.Equal(t, "ENOENT", chdir.Errno)
	require.Equal(t, "no such file or directory: there is no /does, on the way to /does/not/exist",
		chdir.Meaning)
	require.Equal(t, -int64(unix.ENOENT), *chdir.Ret)
	pivot := s.find(t, "pivot_root")
	if os.Geteuid() == 0 {
		// EINVAL where mounts are shared, as systemd has them.
		require.Contains(t, []string{"EBUSY", "EINVAL"}, pivot.Errno)
		require.Contains(t, pivot.Meaning, "/tmp is not a mount point")
		return
	}
	require.Equal(t, "EPERM", s.find(t, "mount").Errno)
	require.Contains(t, s.find(t, "mount").Meaning, "it needs CAP_SYS_ADMIN in user:[")
}

func TestUnavailable(t *testing.T) {
	// A seccomp filter, as an outer container's: ptrace is EPERM.
	if os.Getenv("TRACE_TEST_FILTER") == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestUnavailable$")
		cmd.Env = append(os.Environ(), "TRACE_TEST_FILTER=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return
	}
	denyPtrace(t)
	exit, err := Run(Config{Path: "/proc/self/exe", Argv: []string{"tracee"}})
	var unavailable *Unavailable
	require.ErrorAs(t, err, &unavailable)
	require.Contains(t, unavailable.Reason, "ptrace is forbidden")
	require.Equal(t, 125, exit)
}

// denyPtrace lets all later ptrace calls of this process fail.
func denyPtrace(t *testing.T) {
	runtime.LockOSThread() // no_new_privs is this thread's only
	require.NoError(t, unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_PTRACE, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := syscall.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	require.Zero(t, errno)
}
