package state

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBriefs says of each record what others ask for, in the order in which they came.
func TestBriefs(t *testing.T) {
	dir := use(t)
	list, err := Briefs()
	require.NoError(t, err)
	require.Empty(t, list)
	b, a := own("b"), own("a")
	b.Container, b.Brief = json.RawMessage(`{"Large":1,"Small":2}`), json.RawMessage(`{"Small":2}`)
	a.Container, a.OuterPid = json.RawMessage(`{"Only": "tab\t"}`), os.Getpid()
	require.NoError(t, Claim(b))
	require.NoError(t, Claim(a))
	want := func() {
		t.Helper()
		list, err = Briefs()
		require.NoError(t, err)
		require.Len(t, list, 2)
		for _, s := range list {
			full, err := Load(s.Name)
			require.NoError(t, err)
			require.Equal(t, []any{full.Pid, full.StartTime, full.KitPid, full.KitStart, full.OuterStart},
				[]any{s.Pid, s.StartTime, s.KitPid, s.KitStart, s.OuterStart})
			require.True(t, s.Running())
			require.False(t, s.Gone())
		}
	}
	want()
	require.Equal(t, "b", list[0].Name)
	require.JSONEq(t, `{"Small":2}`, string(list[0].Container))
	require.JSONEq(t, `{"Only":"tab\t"}`, string(list[1].Container))
	require.NoError(t, save(b))
	want()
	require.Equal(t, "b", list[0].Name, "in its place")

	// Without the file the records tell all.
	require.NoError(t, os.Remove(filepath.Join(dir, index)))
	want()
	require.JSONEq(t, `{"Large":1,"Small":2}`, string(list[1].Container))
	require.NoError(t, Remove("a", os.Getpid()))
	require.NoError(t, Remove("b", os.Getpid()))
	require.Empty(t, dirOf(t, dir))
}

// TestBriefWithoutRecord is what is left where a kit was killed, or a file was removed.
func TestBriefWithoutRecord(t *testing.T) {
	dir := use(t)
	for _, name := range []string{"a", "b"} {
		require.NoError(t, Claim(own(name)))
		require.NoError(t, os.Remove(file(dir, name)))
	}
	require.NoError(t, Remove("a", os.Getpid()))
	list, err := Briefs()
	require.NoError(t, err)
	require.Len(t, list, 1)
	_, err = Sweep()
	require.NoError(t, err)
	require.Empty(t, dirOf(t, dir))
}

func TestGone(t *testing.T) {
	zombie := exec.Command("true")
	out, err := zombie.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, zombie.Start())
	_, err = out.Read(make([]byte, 1))
	require.Error(t, err)
	gone := State{Pid: zombie.Process.Pid}.Gone
	require.Eventually(t, gone, 5*time.Second, time.Millisecond, "not waited for")
	require.NoError(t, zombie.Wait())
	require.True(t, State{Pid: zombie.Process.Pid, KitPid: zombie.Process.Pid}.Gone())
	require.False(t, State{KitPid: os.Getpid()}.Gone())
	require.False(t, State{Pid: os.Getpid()}.Gone())
	require.True(t, State{}.Gone())
}

func dirOf(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	return entries
}
