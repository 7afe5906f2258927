package house

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSecurityNames: the tests that SECURITY.md names as the proof of its promises.
func TestSecurityNames(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(top, "SECURITY.md"))
	require.NoError(t, err)
	var all strings.Builder
	require.NoError(t, filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	}))
	named := 0
	for _, span := range spans(string(text)) {
		if strings.HasPrefix(span, "Test") || strings.HasPrefix(span, "Fuzz") {
			require.Contains(t, all.String(), "\nfunc "+span+"(", "SECURITY.md")
			named++
		}
	}
	require.NotZero(t, named)
}
