package state

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzRecord: whatever a record holds, it is listed under the name of its file, and can
// be forgotten.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"name":"other","pid":1,"start_time":1,"kit_pid":1,"kit_start":2,`+
		`"container":{}}`), "box")
	f.Add([]byte(`{"name":"../x","pid":-1}`), "a.b")
	f.Add([]byte("{"), "x")
	f.Add([]byte("null"), "..")
	dir := filepath.Join(f.TempDir(), "state")
	f.Setenv("KIT_STATE", dir)
	require.NoError(f, os.Mkdir(dir, 0o700))
	f.Fuzz(func(t *testing.T, text []byte, name string) {
		if ValidName(name) != nil {
			return
		}
		require.Equal(t, filepath.Join(dir, name+suffix), filepath.Clean(file(dir, name)))
		require.NoError(t, os.WriteFile(file(dir, name), text, 0o600))
		all, err := List()
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, name, all[0].Name)
		s, err := Find(name)
		require.NoError(t, err)
		require.Equal(t, name, s.Name)
		_, _ = Load(name)
		if s.Stale() {
			old, err := Adopt(name)
			require.NoError(t, err)
			require.Equal(t, name, old.Name)
			require.NoError(t, Remove(name, os.Getpid()))
		}
		require.NoError(t, os.RemoveAll(file(dir, name)))
	})
}
