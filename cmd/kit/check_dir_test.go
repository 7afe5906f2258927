//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/newlab"
)

// gradedLab is what kit check says of a lab: points gained, and to gain, by step.
func gradedLab(t *testing.T, dir string, flags ...string) (points, of map[int]int, items string) {
	t.Helper()
	r := runKit(t, append([]string{"check", dir, "--json", "--hints", "0"}, flags...)...)
	require.Contains(t, []int{0, 1}, r.exit, r.err)
	var g grade
	require.NoError(t, json.Unmarshal([]byte(r.out), &g), r.out)
	points, of = map[int]int{}, map[int]int{}
	for _, i := range g.Items {
		points[i.Step] += i.Points
		of[i.Step] += i.Of
	}
	require.Equal(t, g.Points == g.Of, r.exit == 0)
	return points, of, r.out
}

// newLab writes one, with a root file system in a cache of the test's own.
func newLab(t *testing.T) (dir string) {
	t.Helper()
	ktest.RequireTool(t, "go")
	// The compiler keeps what it has made where HOME says, and modules come from there.
	cache, modules := os.Getenv("GOCACHE"), os.Getenv("GOMODCACHE")
	home := os.Getenv("HOME")
	roots := os.Getenv("KIT_CACHE")
	ktest.Clean(t)
	t.Setenv("KIT_CACHE", roots)
	t.Setenv("HOME", home)
	t.Setenv("GOCACHE", cache)
	t.Setenv("GOMODCACHE", modules)
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOPROXY", "off")
	dir = filepath.Join(ktest.PublicDir(t), "lab")
	r := runKit(t, "new", dir)
	require.Zero(t, r.exit, r.err)
	require.Contains(t, r.out, "is a lab")
	return dir
}

// TestLab: a new lab compiles and has no points. Filled in step by step it gains exactly
// those of the steps that are there, and whole it has all.
func TestLab(t *testing.T) {
	dir := newLab(t)
	points, of, items := gradedLab(t, dir)
	require.NotContains(t, items, "compile")
	for step, n := range points {
		require.Zero(t, n, "step %d of an empty lab", step)
	}
	filled := filepath.Join(ktest.PublicDir(t), "filled")
	require.NoError(t, newlab.Whole(filled, "lab", nil))
	done := map[string]bool{}
	for _, name := range newlab.Lessons {
		text, err := os.ReadFile(filepath.Join(filled, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o644))
		done[filepath.Dir(name)] = true
		if strings.HasSuffix(name, "caps.go") {
			continue // with the next file step 6 is whole
		}
		points, of, items = gradedLab(t, dir)
		for step := range of {
			want := 0
			if step <= len(done) {
				want = of[step]
			}
			require.Equal(t, want, points[step], "step %d of a lab with %v: %s",
				step, slices.Sorted(maps.Keys(done)), items)
		}
	}
	require.NotZero(t, of[1]+of[2]+of[4])
}

// TestLabPretends: what a lab prints, or is called, gains nothing.
func TestLabPretends(t *testing.T) {
	dir := newLab(t)
	const pretends = `package main

import (
	"fmt"
	"os"
	"os/exec"
)

func main() {
	fmt.Println("1\nlab\nuid 0\n  PID TTY  CMD\n    1 ?    sleep")
	args := os.Args[len(os.Args)-2:]
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = []string{"HOSTNAME=lab", "container=lab"}
	_ = cmd.Run()
}
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(pretends), 0o644))
	points, _, items := gradedLab(t, dir)
	for step, n := range points {
		require.Zero(t, n, "step %d: %s", step, items)
	}
}

// TestLabBroken: what the compiler says is told, and a lab that hangs is ended.
func TestLabBroken(t *testing.T) {
	dir := newLab(t)
	main := filepath.Join(dir, "main.go")
	require.NoError(t, os.WriteFile(main, []byte("package main\n\nfunc main() { x }\n"), 0o644))
	points, of, items := gradedLab(t, dir, "--step", "1")
	require.Zero(t, points[1])
	require.NotZero(t, of[1])
	require.Contains(t, items, "undefined: x")
	refused(t, 2, "there is no such step", "check", dir, "--step", "7")
	refused(t, 2, "--step is for a lab", "check", "1", "--step", "1")
	refused(t, 2, "not a lab of kit new's: go.mod is not there", "check", t.TempDir())
}

// TestLabInterrupted: Ctrl-C leaves nothing of a lab running, not even what it has let go.
func TestLabInterrupted(t *testing.T) {
	dir := newLab(t)
	const hangs = `package main

import (
	"os"
	"os/exec"
	"time"
)

func main() {
	if len(os.Args) > 2 {
		_ = exec.Command(os.Args[0], "child").Start()
	}
	time.Sleep(time.Hour)
}
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(hangs), 0o644))
	kit := exec.Command("kit", "check", dir, "--step", "1")
	require.NoError(t, kit.Start())
	require.Eventually(t, func() bool {
		labs := 0
		for _, p := range family(kit.Process.Pid) {
			if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p)); err == nil &&
				filepath.Base(exe) == "lab" {
				labs++
			}
		}
		return labs == 2
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, kit.Process.Signal(unix.SIGINT))
	require.Error(t, kit.Wait())
	require.Equal(t, 130, kit.ProcessState.ExitCode())
}

// TestNewRefuses: a lab overwrites nothing, and half of one does not stay.
func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	refused(t, 2, "into which directory?", "new")
	refused(t, 2, "--module a b: not a module path", "new", dir, "--module", "a b")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mine"), nil, 0o644))
	refused(t, 2, dir+": there is something in it: mine", "new", dir)
	refused(t, 125, "no such file or directory", "new", filepath.Join(dir, "a", "b"))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}
