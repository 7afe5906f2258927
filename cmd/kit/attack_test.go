//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/attack"
	"github.com/containerkit/kit/internal/ktest"
)

// attacker runs kit attack. All must be as it was afterwards, for which ktest.Clean
// looks, and machineState.
func attacker(t *testing.T, args ...string) string {
	t.Helper()
	ktest.Clean(t)
	before := machineState(t)
	cmd := exec.Command("kit", append([]string{"attack"}, args...)...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	require.NoError(t, cmd.Start())
	timer := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Signal(unix.SIGTERM) })
	defer timer.Stop()
	require.NoError(t, cmd.Wait(), stderr.String())
	require.Empty(t, stderr.String())
	require.Equal(t, before, machineState(t))
	return out.String()
}

// machineState is what the attacks would change of the machine, were they made there.
func machineState(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	require.NoError(t, err)
	segments, err := os.ReadFile("/proc/sysvipc/shm")
	require.NoError(t, err)
	links, err := filepath.Glob("/sys/class/net/kit*")
	require.NoError(t, err)
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "kit-attack-*"))
	require.NoError(t, err)
	swap, err := os.ReadFile("/proc/sys/vm/swappiness")
	require.NoError(t, err)
	_, err = os.Stat("/.kit-escape")
	require.ErrorIs(t, err, os.ErrNotExist)
	return name + string(segments) + strings.Join(append(links, left...), " ") + string(swap)
}

func attackMatrix(t *testing.T, args ...string) matrix {
	t.Helper()
	var m matrix
	out := attacker(t, append([]string{"--matrix", "--format", "json"}, args...)...)
	require.NoError(t, json.Unmarshal([]byte(out), &m))
	require.Len(t, m.Attacks, len(attack.All()))
	return m
}

// TestAttacksAreAStaircase: each attack works up to the step that stops it, and never
// after it. Step 6 stops all that Docker's configuration stops when runc has it.
func TestAttacksAreAStaircase(t *testing.T) {
	ktest.Root(t)
	ktest.RequireTool(t, "runc", "unshare")
	m := attackMatrix(t, "--with", "runc,unshare")
	made := 0
	for _, e := range m.Attacks {
		a := attack.Find(e.Name)
		require.NotNil(t, a)
		if e.Results[attack.PlaceHost].State == attack.NotRun {
			t.Logf("%s: %s", e.Name, e.Results[attack.PlaceHost].Call)
			continue
		}
		made++
		require.Equal(t, attack.Works, e.Results[attack.PlaceHost].State, e.Name)
		for n := 1; n <= 6; n++ {
			want := attack.Works
			if a.Stop != 0 && n >= a.Stop {
				want = attack.Stopped
			}
			got := e.Results[strconv.Itoa(n)]
			require.Equal(t, want, got.State, "%s at step %d: %+v", e.Name, n, got)
			require.NotEmpty(t, outcomeText(got), "%s at step %d", e.Name, n)
		}
		requireEvidence(t, a, e.Evidence)
		docker := e.Results["runc"]
		require.NotEqual(t, attack.NotRun, docker.State, "%s: %s", e.Name, docker.Call)
		if docker.State == attack.Stopped {
			require.Equal(t, attack.Stopped, e.Results["6"].State, e.Name)
		}
	}
	require.Greater(t, made, 25)
}

// requireEvidence: of what a step stops a trace tells by which call.
func requireEvidence(t *testing.T, a *attack.Attack, found *attack.Evidence) {
	t.Helper()
	if a.Stop == 0 {
		require.Nil(t, found, a.Name)
		return
	}
	require.NotNil(t, found, a.Name)
	require.Equal(t, a.Stop, found.Step, a.Name)
	require.NotEmpty(t, found.Why, a.Name)
	// What is asked of clone is asked by the engine, with the flags that steps choose.
	require.Regexp(t, "^(steps/0"+strconv.Itoa(a.Stop)+"-|internal/container/)", found.File, a.Name)
}

// TestAttacksByAUser who is not root: what can be made is a staircase, too.
func TestAttacksByAUser(t *testing.T) {
	ktest.User(t)
	m := attackMatrix(t)
	made := 0
	for _, e := range m.Attacks {
		stopped := false
		for _, place := range m.Places {
			o := e.Results[place]
			require.NotEmpty(t, outcomeText(o), "%s: %s", e.Name, place)
			require.False(t, stopped && o.State == attack.Works, "%s at %s: %+v", e.Name, place, o)
			stopped = stopped || o.State == attack.Stopped
			if o.State != attack.NotRun {
				made++
			}
		}
	}
	require.Greater(t, made, 100)
}

// TestAttackOne tells the call that stops it, by a trace.
func TestAttackOne(t *testing.T) {
	out := attacker(t, "double-chroot")
	require.Regexp(t, `(?m)^  step 1 chroot +works +the host's secret`, out)
	require.Regexp(t, `(?m)^  step 2 namespaces +stopped +no way out`, out)
	require.Regexp(t, `(?m)^  steps/02-namespaces/namespaces.go:\d+\n  umount2\("\.", MNT_DETACH\)`,
		out)
	requireNarrow(t, out)
}

// TestAttackStep makes all of them on one step.
func TestAttackStep(t *testing.T) {
	out := attacker(t, "namespaces")
	require.Regexp(t, `(?m)^  hostname +stopped  `, out)
	require.Regexp(t, `(?m)^  mount +works  `, out)
	require.Regexp(t, `\n\d+ of \d+ work\n$`, out)
	requireNarrow(t, out)
}

func requireNarrow(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		require.LessOrEqual(t, len(line), 81, line)
		require.NotRegexp(t, ` \n$`, line)
	}
}

// TestAttackTexts are made of a matrix that was not run.
func TestAttackTexts(t *testing.T) {
	m := &matrix{Places: append(ladderPlaces(1, 6), attack.Runtimes()...)}
	for _, a := range attack.All() {
		results := make(map[string]attack.Outcome)
		for i, place := range m.Places {
			results[place] = []attack.Outcome{
				{State: attack.Works, Saw: "<b>seen</b>"},
				{State: attack.Stopped, Call: "open /a: operation not permitted", Errno: "EPERM"},
				{State: attack.NotRun, Call: "it is not installed"},
			}[i%3]
		}
		m.Attacks = append(m.Attacks, matrixEntry{
			Name: a.Name, Tries: a.Tries, Why: a.Why, Results: results, attack: a,
		})
	}
	var text, page, list bytes.Buffer
	require.NoError(t, m.writeText(&text))
	requireNarrow(t, text.String())
	require.Contains(t, text.String(), "systemd-nspawn")
	require.NoError(t, m.writeHTML(&page))
	require.NotContains(t, page.String(), "<b>seen")
	require.Contains(t, page.String(), "&lt;b&gt;seen")
	require.NoError(t, listAttacks(&list))
	requireNarrow(t, list.String())
}

// TestAttacksRefuse the machine itself.
func TestAttacksRefuse(t *testing.T) {
	for _, args := range [][]string{{"run", "fork"}, {"stand-in"}, {"victim"}} {
		refused(t, 125, "attacks run only inside what kit attack sets up",
			append([]string{"attack"}, args...)...)
	}
	// Whatever somebody may make up.
	t.Setenv(planEnv, `{"Dir":"/tmp","Machine":{"mnt":1,"uts":1,"ipc":1,"net":1,"pid":1}}`)
	mounts := ktest.Mounts(t)
	refused(t, 125, "attacks run only inside what kit attack sets up", "attack", "stand-in")
	require.Equal(t, mounts, ktest.Mounts(t))
	forged := attack.Target{Machine: map[string]uint64{
		"mnt": 1, "uts": 1, "ipc": 1, "net": 1, "pid": 1,
	}}
	own, err := attack.Machine()
	require.NoError(t, err)
	if own["uts"] > 0xEFFFFFFF {
		t.Skip("this test runs in a container: nothing tells it from one of kit's")
	}
	text, err := json.Marshal(forged)
	require.NoError(t, err)
	t.Setenv(attack.TargetEnv, string(text))
	for _, a := range attack.All() {
		refused(t, 125, "the machine's own", "attack", "run", a.Name)
	}
}

// TestAttacksEndOnASignal, and leave nothing.
func TestAttacksEndOnASignal(t *testing.T) {
	ktest.Root(t) // a user may have no cgroups to leave
	ktest.Clean(t)
	before := machineState(t)
	cmd := exec.Command("kit", "attack", "cpu")
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { // a container is there, with its cgroups
		return slices.ContainsFunc(descendants(t, cmd.Process.Pid), func(pid int) bool {
			line, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
			cgroups, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
			return strings.Contains(string(line), "run\x00cpu\x00") &&
				strings.Contains(string(cgroups), "/kit-")
		})
	}, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(unix.SIGTERM))
	_ = cmd.Wait()
	require.Equal(t, 125, exitStatus(cmd.ProcessState))
	require.Equal(t, before, machineState(t))
}

// TestAttackUsage is what the command line refuses.
func TestAttackUsage(t *testing.T) {
	for _, c := range []struct {
		cause string
		args  []string
	}{
		{"attack 7: neither the name of one", []string{"7"}},
		{"attack nope: neither the name of one", []string{"nope"}},
		{"--format yaml: not one of", []string{"--format", "yaml", "1"}},
		{"--with lxc: not one of", []string{"--with", "lxc", "--matrix"}},
		{"--matrix: has all attacks", []string{"--matrix", "fork"}},
		{"--format, --with: need", []string{"--format", "json"}},
		{"attack 1 2: one name", []string{"1", "2"}},
	} {
		refused(t, 2, c.cause, append([]string{"attack"}, c.args...)...)
	}
	require.True(t, slices.IsSortedFunc(attack.All(), func(a, b *attack.Attack) int {
		return (a.Stop+6)%7 - (b.Stop+6)%7
	}))
}
