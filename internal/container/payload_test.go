package container

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestMergeReplacesByName(t *testing.T) {
	env := merge([]string{"PATH=/bin", "HOME=/"}, []string{"HOME=/root", "A=", "PATHS=x"})
	require.Equal(t, []string{"PATH=/bin", "HOME=/root", "A=", "PATHS=x"}, env)
}

func TestLookPath(t *testing.T) {
	dir := t.TempDir()
	run := filepath.Join(dir, "run")
	text := filepath.Join(dir, "text")
	require.NoError(t, os.WriteFile(run, nil, 0o755))
	require.NoError(t, os.WriteFile(text, nil, 0o644))
	env := []string{"PATH=/nowhere:" + dir}
	for _, c := range []struct {
		command, path string
		err           error
	}{
		{"run", run, nil},
		{run, run, nil},
		{"text", text, unix.EACCES},
		{dir, dir, unix.EISDIR},
		{"/nowhere/x", "", unix.ENOENT},
	} {
		path, err := lookPath(c.command, env)
		require.ErrorIs(t, err, c.err, c.command)
		require.Equal(t, c.path, path, c.command)
	}
	path, err := lookPath("nosuch", env)
	require.Error(t, err)
	require.Empty(t, path)
}

func TestExitStatusOfWhatCannotBeStarted(t *testing.T) {
	require.Equal(t, 127, (&ExecError{Command: "x", Err: unix.ENOENT}).ExitStatus())
	require.Equal(t, 126, (&ExecError{Command: "x", Path: "/x", Err: unix.EACCES}).ExitStatus())
}
