package lesson_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/lesson"
)

// TestShellInShell: a command that is a shell is given those that follow, up to exit.
func TestShellInShell(t *testing.T) {
	s, err := lesson.StartShell(t.TempDir(), os.Environ())
	require.NoError(t, err)
	defer s.Close()
	for _, c := range []struct {
		line, want string
		status     int
	}{
		{"x=outer; echo $x", "outer\n", 0},
		{"sh", "", 0},
		{"echo in: $x; false", "in:\n", 1},
		{"cat <<E\na b\nE", "a b\n", 0},
		{"echo late >&2; exit 3", "late\n", 3},
		{"echo $x; sleep 0.1; printf end", "outer\nend", 0},
	} {
		var out strings.Builder
		status, err := s.Run(c.line, &out, 10*time.Second)
		require.NoError(t, err, c.line)
		require.Equal(t, c.want, out.String(), c.line)
		require.Equal(t, c.status, status, c.line)
	}
	_, err = s.Run("sleep 60", &strings.Builder{}, 50*time.Millisecond)
	require.ErrorContains(t, err, "no end after 50ms: sleep 60")
}
