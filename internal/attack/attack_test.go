package attack

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestAttacksAreExplained in words that fit into the tables.
func TestAttacksAreExplained(t *testing.T) {
	names := make(map[string]bool)
	for _, a := range All() {
		require.False(t, names[a.Name], a.Name)
		names[a.Name] = true
		require.LessOrEqual(t, len(a.Name), 14, a.Name)
		require.LessOrEqual(t, len(a.Tries), 40, a.Name)
		require.NotEmpty(t, a.Why, a.Name)
		require.True(t, strings.HasSuffix(strings.TrimSuffix(a.Why, ")"), "."), a.Name)
		require.Equal(t, a.Stop != 0, len(a.By) > 0, a.Name)
		require.Equal(t, a.Name, Find(a.Name).Name)
	}
	require.GreaterOrEqual(t, len(names), 15)
	require.Nil(t, Find("none"))
}

// TestInitialNamespaces are told from others by their inodes.
func TestInitialNamespaces(t *testing.T) {
	require.True(t, initial("uts", 0xEFFFFFFE))
	require.True(t, initial("pid", 0xEFFFFFFC))
	require.False(t, initial("pid", 0xF0000000))
	require.False(t, initial("mnt", 0xEFFFFFFE))
}

// TestUnsafe: no attack without a target, nor on the namespaces that the target names.
func TestUnsafe(t *testing.T) {
	var out strings.Builder
	require.ErrorIs(t, Run(&out, "fork"), ErrUnsafe)
	t.Setenv(TargetEnv, "{}")
	require.ErrorIs(t, Run(&out, "fork"), ErrUnsafe)
	t.Setenv(TargetEnv, `{"Machine":{"mnt":1}}`)
	require.ErrorIs(t, Run(&out, "fork"), ErrUnsafe)
	require.Empty(t, out.String())
	// The check alone: what comes after it changes mounts and names.
	own, err := Machine()
	require.NoError(t, err)
	forged := map[string]uint64{"mnt": 1, "uts": 1, "ipc": 1, "net": 1, "pid": 1}
	for _, plan := range []Plan{
		{},
		{Dir: "/tmp"},
		{Dir: "/tmp", Machine: own},
		{Dir: "/tmp", Machine: forged},
		{Dir: "/tmp", Machine: map[string]uint64{"mnt": 1}},
	} {
		require.ErrorIs(t, plan.checkPlace(), ErrUnsafe, "%+v", plan)
	}
}

// TestEvidence is the first call in a trace that fits, and the attack's own.
func TestEvidence(t *testing.T) {
	const trace = `{"v":1,"kind":"begin"}
{"kind":"syscall","class":"runtime","call":"mount","args":[{"name":"x","text":"MS_PRIVATE"}]}
{"kind":"syscall","class":"lesson","call":"mount","file":"a.go","line":1,"args":[{"text":"proc"}]}
{"kind":"syscall","class":"lesson","call":"mount","file":"a.go","line":2,"why":"Cut.",` +
		`"args":[{"text":"\"/\""},{"text":"MS_PRIVATE"}]}
{"kind":"syscall","class":"command","call":"mount","errno":"EPERM","args":[{"text":"x"}]}
`
	a := &Attack{By: []Call{{"umount2", ""}, {"mount", "MS_PRIVATE"}}}
	require.Equal(t, &Evidence{
		Step: 2, Call: `mount("/", MS_PRIVATE)`, File: "a.go", Line: 2, Why: "Cut.",
		Tried: "mount(x) = EPERM",
	}, a.find(2, strings.NewReader(trace)))
	a.By = []Call{{"clone", ""}}
	require.Nil(t, a.find(2, strings.NewReader(trace)))
}

// TestOutcomes: what an attack said, or how it ended without a word.
func TestOutcomes(t *testing.T) {
	end := func(script string) (Outcome, error) {
		cmd := exec.Command("sh", "-c", script)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		return read(out, stderr.String(), cmd.ProcessState, err)
	}
	o, err := end(`echo '{"state":"works","saw":"it"}'`)
	require.NoError(t, err)
	require.Equal(t, Outcome{State: Works, Saw: "it"}, o)
	for _, script := range []string{"exit 137", "kill -KILL $$"} {
		o, err = end(script)
		require.NoError(t, err)
		require.Equal(t, "SIGKILL", o.Errno)
		require.Equal(t, Stopped, o.State)
	}
	_, err = end("echo kit: cgroups: no >&2; echo hint: x >&2; exit 125")
	require.EqualError(t, err, "cgroups: no")
	_, err = end("exit 3")
	require.ErrorContains(t, err, "no answer: exit status 3")

	o = outcomeOf("", &os.PathError{Op: "open", Path: "/a", Err: unix.EROFS})
	require.Equal(t, Outcome{
		State: Stopped, Call: "open /a: read-only file system", Errno: "EROFS",
	}, o)
}
