package rootfs

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzUnpack unpacks any archive: nothing is written but below the target.
func FuzzUnpack(f *testing.F) {
	f.Add(exported(f))
	for _, e := range [][]entry{
		{{name: "a", kind: tar.TypeSymlink, link: ".."}, {name: "a/out", kind: tar.TypeReg, body: "x"}},
		{{name: "a", kind: tar.TypeSymlink, link: "/"}, {name: "a/tmp/out", kind: tar.TypeDir}},
		{{name: "../out", kind: tar.TypeReg, body: "x"}},
		{{name: "l", kind: tar.TypeLink, link: "../beside"}, {name: "l", kind: tar.TypeReg, body: "x"}},
		{
			{name: "d", kind: tar.TypeDir},
			{name: "d", kind: tar.TypeSymlink, link: "../.."},
			{name: "d/f", kind: tar.TypeReg},
		},
	} {
		f.Add(archive(f, e...))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		outer := t.TempDir()
		dir := filepath.Join(outer, "target")
		require.NoError(t, os.Mkdir(dir, 0o700))
		beside := filepath.Join(outer, "beside")
		require.NoError(t, os.WriteFile(beside, []byte("kept"), 0o600))
		_, _ = unpack(dir, bytes.NewReader(text))
		entries, err := os.ReadDir(outer)
		require.NoError(t, err)
		require.Len(t, entries, 2)
		kept, err := os.ReadFile(beside)
		require.NoError(t, err)
		require.Equal(t, "kept", string(kept))
		info, err := os.Lstat(beside)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode())
		require.NoError(t, removeTree(dir))
	})
}
