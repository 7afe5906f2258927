package doctor

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// TestPlace: the directory of a doctor is there as long as it works, and that of one who
// was killed goes with the next.
func TestPlace(t *testing.T) {
	cache := ktest.PublicDir(t)
	t.Setenv("KIT_CACHE", cache)
	p, err := newPlace()
	require.NoError(t, err)
	require.NoError(t, p.err)
	killed := filepath.Join(cache, placePrefix+"killed")
	require.NoError(t, os.MkdirAll(killed+"/work", 0o700))
	require.NoError(t, os.Chmod(killed+"/work", 0)) // as overlay leaves it
	q, err := newPlace()
	require.NoError(t, err)
	require.NoDirExists(t, killed)
	require.DirExists(t, p.dir, "still at work")
	p.remove()
	q.remove()
	left, err := os.ReadDir(cache)
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestPlaceElsewhere is where there can be no cache.
func TestPlaceElsewhere(t *testing.T) {
	t.Setenv("KIT_CACHE", "/proc/none")
	t.Setenv("TMPDIR", ktest.PublicDir(t))
	p, err := newPlace()
	require.NoError(t, err)
	require.ErrorIs(t, p.err, unix.ENOENT)
	p.remove()
	require.NoDirExists(t, p.dir)
	t.Setenv("TMPDIR", "/proc/none") // as in a sandbox without anything to write to
	p, err = newPlace()
	require.NoError(t, err)
	require.Equal(t, "/dev/shm", filepath.Dir(p.dir))
	p.remove()
}

// TestTrueProgram runs the program of the smallest root file system.
func TestTrueProgram(t *testing.T) {
	t.Setenv("KIT_CACHE", ktest.PublicDir(t))
	p, err := newPlace()
	require.NoError(t, err)
	defer p.remove()
	root, err := p.newRoot()
	require.NoError(t, err)
	require.NoError(t, exec.Command(filepath.Join(root, "true")).Run())
	info, err := os.Stat(filepath.Join(root, "true"))
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(150))
}

func TestParse(t *testing.T) {
	problem, hints := parse("kit: a note\nkit: mount proc: no\nhint: one\nhint: two: three\n")
	require.Equal(t, "mount proc: no", problem)
	require.Equal(t, []string{"one", "two: three"}, hints)
	problem, hints = parse("")
	require.Empty(t, problem)
	require.Equal(t, []string{}, hints)
}

// TestTrials: ids are there once, and all trials say what they are for.
func TestTrials(t *testing.T) {
	seen := map[string]bool{}
	for _, trial := range trials() {
		require.False(t, seen[trial.id], trial.id)
		seen[trial.id] = true
		require.NotEmpty(t, trial.name)
		require.NotEmpty(t, trial.loses, trial.id)
		require.Less(t, len(trial.name), 29, "%s: the table has a column for it", trial.id)
		require.True(t, trial.deed != nil || trial.ns != 0, trial.id)
	}
	require.True(t, seen[procID])
	require.False(t, seen[waiting])
}

// TestBlame: a failure is told where it belongs.
func TestBlame(t *testing.T) {
	r := Report{Checks: []Check{
		{ID: "userns", As: AsUser, State: Fails, unborn: unix.CLONE_NEWUSER},
		{ID: "mnt", As: AsRoot, State: Works},
		{ID: "mnt", As: AsUser, State: Fails, unborn: unix.CLONE_NEWUSER | unix.CLONE_NEWNS},
		{ID: "net", As: AsRoot, State: Fails, unborn: unix.CLONE_NEWNET},
		{ID: "veth", As: AsRoot, State: Fails, Error: "clone", unborn: unix.CLONE_NEWNET},
		{ID: "proc", As: AsRoot, State: Fails, Error: "mount proc"},
	}}
	r.blame()
	var states []string
	for _, c := range r.Checks {
		states = append(states, c.State+" "+c.Found)
	}
	require.Equal(t, []string{
		"fails ", "works ", "untried takes a user namespace", "fails ",
		"untried takes a network namespace", "fails ",
	}, states)
	require.Empty(t, r.Checks[4].Error)
}

// TestDevContainer: what an outer container must be told is there, and its Go is ours.
func TestDevContainer(t *testing.T) {
	text, err := os.ReadFile("../../.devcontainer/devcontainer.json")
	require.NoError(t, err)
	var config struct {
		Privileged bool
		Features   map[string]struct{ Version string }
		Mounts     []struct{ Target string }
	}
	require.NoError(t, json.Unmarshal(text, &config))
	require.True(t, config.Privileged)
	require.Equal(t, "/var/cache/kit", config.Mounts[0].Target)
	module, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	version := config.Features["ghcr.io/devcontainers/features/go:1"].Version
	require.True(t, strings.Contains(string(module), "\ngo "+version), version)
}
