package state

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// use gives the test a state directory of its own.
func use(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "kit")
	t.Setenv("KIT_STATE", dir)
	return dir
}

func own(name string) State {
	return State{
		Name: name, Pid: os.Getpid(), KitPid: os.Getpid(), Step: 2, Rootfs: "/r",
		Command: []string{"sh"},
	}
}

// save writes a state down as it is.
func save(s State) error {
	return Exclusive(func(dir string) error { return Save(dir, s) })
}

// ended returns the pid of a process that has ended.
func ended(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("true")
	require.NoError(t, cmd.Run())
	return cmd.Process.Pid
}

func TestSaveLoadRemove(t *testing.T) {
	dir := use(t)
	require.NoError(t, Claim(own("a")))
	s, err := Load("a")
	require.NoError(t, err)
	require.True(t, s.Running())
	require.NotZero(t, s.StartTime)
	require.False(t, s.Created.IsZero())
	want := own("a")
	want.StartTime, want.KitStart, want.Created = s.StartTime, s.KitStart, s.Created
	require.Equal(t, want, s)

	require.NoError(t, Remove("a", os.Getpid()+1), "another one's")
	_, err = Load("a")
	require.NoError(t, err)
	require.NoError(t, Remove("a", os.Getpid()))
	require.NoError(t, Remove("a", os.Getpid()), "not there any more")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestNotFoundNamesTheRunning(t *testing.T) {
	use(t)
	_, err := Load("x")
	require.EqualError(t, err, `no container "x": none is running`)
	require.NoError(t, Claim(own("b")))
	require.NoError(t, Claim(own("a")))
	require.NoError(t, save(State{Name: "gone", Pid: ended(t), StartTime: 1}))
	_, err = Load("other")
	require.EqualError(t, err, `no container "other": running are a, b`)
	_, err = Load("gone")
	require.EqualError(t, err, `container "gone" does not run: it is stale, since kit was killed; `+
		"kit clean removes what is left of it")
	list, err := List()
	require.NoError(t, err)
	require.Len(t, list, 3)
}

func TestANameIsTakenWhileItsContainerRuns(t *testing.T) {
	use(t)
	require.NoError(t, Claim(own("a")))
	var taken *TakenError
	require.ErrorAs(t, Claim(own("a")), &taken)
	require.Equal(t, TakenError{"a", os.Getpid()}, *taken)

	// The pid is there, but it is somebody else's by now.
	require.NoError(t, save(State{Name: "b", Pid: os.Getpid(), StartTime: 1}))
	require.NoError(t, Claim(own("b")))
	s, err := Load("b")
	require.NoError(t, err)
	require.NotEqual(t, uint64(1), s.StartTime)
}

// TestAClaimWithoutAProcess is a container that is still being built.
func TestAClaimWithoutAProcess(t *testing.T) {
	use(t)
	building := State{Name: "a", KitPid: os.Getpid()}
	require.NoError(t, Claim(building))
	var taken *TakenError
	require.ErrorAs(t, Claim(building), &taken)
	_, err := Load("a")
	require.EqualError(t, err, `container "a" does not run: kit is still building it`)

	require.NoError(t, save(State{Name: "b", KitPid: ended(t), KitStart: 1}))
	require.NoError(t, Claim(State{Name: "b", KitPid: os.Getpid()}), "its kit was killed")
}

func TestABrokenFileIsStale(t *testing.T) {
	dir := use(t)
	require.NoError(t, Claim(own("a")))
	require.NoError(t, os.WriteFile(file(dir, "a"), []byte("{"), 0o600))
	list, err := List()
	require.NoError(t, err)
	require.Equal(t, []State{{Name: "a"}}, list)
	require.NoError(t, Claim(own("a")))
	require.NoError(t, os.WriteFile(file(dir, "a"), []byte("{"), 0o600))
	require.NoError(t, Remove("a", 0))
}

func TestOneOfManyGetsTheName(t *testing.T) {
	use(t)
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() { errs[i] = Claim(own("a")) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		var taken *TakenError
		if err == nil {
			won++
		} else {
			require.ErrorAs(t, err, &taken)
		}
	}
	require.Equal(t, 1, won)
}

func TestSaveOfAProcessThatIsGone(t *testing.T) {
	dir := use(t)
	require.ErrorIs(t, save(State{Name: "a", Pid: ended(t)}), unix.ESRCH)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestDirectoriesThatAreRefused(t *testing.T) {
	dir := use(t)
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.ErrorContains(t, Claim(own("a")), "others may use it (mode 0755, not 0700)")
	_, err := Load("a")
	require.ErrorContains(t, err, "others may use it")
	require.NoError(t, os.Remove(dir))

	require.NoError(t, os.Symlink(t.TempDir(), dir))
	require.ErrorContains(t, Claim(own("a")), "not a directory")
	require.NoError(t, os.Remove(dir))

	t.Setenv("KIT_STATE", filepath.Join(dir, "deeper"))
	require.ErrorIs(t, Claim(own("a")), os.ErrNotExist)
	list, err := List()
	require.NoError(t, err)
	require.Empty(t, list)

	t.Setenv("KIT_STATE", "/proc/kit") // nobody can write there
	require.Error(t, Claim(own("a")))
	if os.Geteuid() != 0 {
		t.Setenv("KIT_STATE", "/root")
		require.ErrorContains(t, Claim(own("a")), "belongs to uid 0")
	}
}

// TestPathInAUserNamespace runs itself again as the root of a user namespace:
// the directory is still that of the user outside.
func TestPathInAUserNamespace(t *testing.T) {
	t.Setenv("KIT_STATE", "")
	t.Setenv("XDG_RUNTIME_DIR", "/x")
	if want := os.Getenv("STATE_PATH"); want != "" {
		require.Equal(t, want, path())
		return
	}
	want := "/x/kit"
	if os.Getuid() == 0 {
		want = "/run/kit"
	}
	require.Equal(t, want, path())
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestPathInAUserNamespace$")
	cmd.Env = append(os.Environ(), "STATE_PATH="+want)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestValidName(t *testing.T) {
	for _, name := range []string{"a", "A-1_b.c", strings.Repeat("x", 63)} {
		require.NoError(t, ValidName(name))
	}
	for _, name := range []string{
		"", ".", "..", "42", "-a", "_a", "a/b", "a b", "ä", "a\n", "a\x00", strings.Repeat("x", 64),
	} {
		require.Error(t, ValidName(name), "%q", name)
	}
}
