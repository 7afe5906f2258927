//go:build linux

package lessons

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/lesson"
)

// limit is the time that a command of a lesson may take.
const limit = 5 * time.Minute

// TestMain builds the kit that the lessons' commands are about.
func TestMain(m *testing.M) {
	ktest.OwnNetwork()
	os.Exit(ktest.WithKit(m))
}

// TestSessions types in what the lessons show, and compares what comes. As an ordinary
// user it leaves out the sessions that need root.
func TestSessions(t *testing.T) {
	all, err := All()
	require.NoError(t, err)
	for _, l := range all {
		t.Run(strings.TrimSuffix(l.File, ".md"), func(t *testing.T) {
			cache := os.Getenv("KIT_CACHE") // a root file system is not made for each
			ktest.Clean(t)
			t.Setenv("KIT_CACHE", cache)
			r := &reader{t, ktest.PublicDir(t), map[int]*lesson.Shell{}}
			t.Cleanup(r.leave)
			lesson.Walk(l.Blocks, r.read)
		})
	}
}

// A reader works through a lesson in some terminals.
type reader struct {
	t      *testing.T
	dir    string
	shells map[int]*lesson.Shell
}

func (r *reader) read(b *lesson.Block) {
	if b.Kind != lesson.Code || b.Lang != "console" {
		return
	}
	s, err := b.Session()
	require.NoError(r.t, err)
	if s.Root && os.Geteuid() != 0 {
		return
	}
	ktest.RequireTool(r.t, s.Tools...)
	for _, c := range s.Commands {
		var out strings.Builder
		_, err := r.shell(s.Terminal).Run(c.Line, &out, limit)
		require.NoError(r.t, err, "%s", out.String())
		got := strings.Split(out.String(), "\n")
		if err := lesson.Match(c.Output, got, s.Like); err != nil {
			r.t.Errorf("%s %s\n%v; what came:\n%s", c.Prompt, c.Line, err, out.String())
		}
	}
}

// shell is that of a terminal, which is opened when it is first typed in.
func (r *reader) shell(terminal int) *lesson.Shell {
	if r.shells[terminal] == nil {
		env := append(os.Environ(), "PS1=$ ", "KIT_LESSON=1", "COLUMNS=80")
		s, err := lesson.StartShell(r.dir, env)
		require.NoError(r.t, err)
		r.shells[terminal] = s
	}
	return r.shells[terminal]
}

func (r *reader) leave() {
	for _, s := range r.shells {
		s.Close()
	}
}

// TestNumbers: no lesson is missing in what kit shows.
func TestNumbers(t *testing.T) {
	all, err := All()
	require.NoError(t, err)
	files, err := filepath.Glob("[0-9][0-9]-*.md")
	require.NoError(t, err)
	require.Len(t, all, len(files), "go generate ./lessons")
}
