package elfdep

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzClosure has any file as a program and as a library in a root file system: what it
// is said to need lies in there, and no answer takes for ever.
func FuzzClosure(f *testing.F) {
	needed := []string{"prog", "../../x", "/etc/passwd"}
	f.Add(fake{interp: "/lib/ld.so", needed: needed, rpath: "/r:$ORIGIN"}.bytes(f))
	f.Add([]byte("#!/prog\n"))
	f.Add([]byte("#! /usr/bin/env  x\r\n"))
	f.Add([]byte("include *.conf\n/lib\n"))
	f.Add([]byte("enabled\ninterpreter /x\noffset 1\nmagic 7f45\nmask ff00\n"))
	root := f.TempDir()
	require.NoError(f, os.MkdirAll(filepath.Join(root, "etc/ld.so.conf.d"), 0o755))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, name := range []string{"prog", "etc/ld.so.conf"} {
			require.NoError(t, os.WriteFile(filepath.Join(root, name), text, 0o755))
		}
		files, _, err := Closure(root, []string{"/prog"})
		require.NoError(t, err)
		for _, file := range files {
			require.True(t, strings.HasPrefix(file, "/"))
			_, err := os.Lstat(filepath.Join(root, file))
			require.NoError(t, err)
		}
		_ = Explain(root, "/prog")
		_ = parseHandler(bytes.NewReader(text)).matches(text)
	})
}
