//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// TestInjectSweepWorker does a part of the runs of TestInjectSweep.
func TestInjectSweepWorker(t *testing.T) {
	file := os.Getenv(sweepJobs)
	if file == "" {
		t.Skip("belongs to TestInjectSweep")
	}
	var part, parts int
	_, err := fmt.Sscanf(os.Getenv(sweepPart), "%d/%d", &part, &parts)
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var runs []sweepRun
	require.NoError(t, json.Unmarshal(text, &runs))
	if os.Geteuid() == 0 {
		// As on most hosts; what is mounted in a container must not come out.
		require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""))
	}
	ktest.Clean(t)
	w := newSweeper(t, fmt.Sprintf("sweep%d", part))
	for i := part; i < len(runs); i += parts {
		w.run(runs[i])
	}
}

// A sweeper makes runs, one after the other, and looks at what they have left.
type sweeper struct {
	t         *testing.T
	name      string // of its containers
	portraits map[string]string
	before    []string
	command   sweepRun
	result    result
}

func newSweeper(t *testing.T, name string) *sweeper {
	w := &sweeper{t: t, name: name, portraits: map[string]string{}}
	for _, dir := range []string{os.Getenv("KIT_STATE"), containersDir()} {
		require.NoError(t, os.MkdirAll(dir, 0o700)) // they may stay
	}
	w.before = w.left()
	return w
}

func (w *sweeper) run(r sweepRun) {
	whole := w.portrait(r.Line, r.Root)
	inject := fmt.Sprintf("%s:%s:%d", r.Call, unix.ErrnoName(r.Errno), r.N)
	w.command = r
	began := time.Now()
	flags := []string{"--trace-file", os.DevNull, "--inject", inject}
	w.result = runKit(w.t, r.Line.args(r.Root, w.name, flags...)...)
	out := w.result
	left := w.survey(2 * time.Second)
	switch {
	case time.Since(began) > 15*time.Second:
		w.complain("it hangs")
	case strings.Contains(out.err, "--inject "+inject+": "):
		return // runs are not all the same: this one did not make so many such calls
	case !hit(out.err, r):
		w.complain("where is not told")
	case out.exit == 0 && out.out != whole && !r.doesWithout():
		w.complain("the container is not whole:\n" + difference(whole, out.out))
	case out.exit != 0:
		w.checkError()
	}
	w.checkLeft(left)
}

// doesWithout tells that the container is to be another one when the call fails.
func (r sweepRun) doesWithout() bool {
	// Where no sysfs of one's own may be mounted, it is the host's.
	return strings.HasPrefix(r.Place, "steps/02-namespaces/kernelfs.go") && r.Errno == unix.EPERM
}

// endsEarly tells that kit cannot clean up: it was the clean-up that failed, or
// without root the wait for the one who does it.
func (r sweepRun) endsEarly() bool {
	waits := os.Geteuid() != 0 && strings.HasPrefix(r.Place, "internal/container/wait.go")
	return waits || strings.HasSuffix(r.Place, " After")
}

// portrait is what the container has when nothing fails.
func (w *sweeper) portrait(line sweepLine, root string) string {
	key := fmt.Sprint(line)
	if w.portraits[key] == "" {
		r := runKit(w.t, line.args(root, w.name, "--trace-file", os.DevNull)...)
		require.Zero(w.t, r.exit, r.err)
		w.portraits[key] = r.out
		left := w.survey(2 * time.Second)
		require.Equal(w.t, w.before, left, "left behind by a run in which nothing fails")
	}
	return w.portraits[key]
}

var injected = regexp.MustCompile(
	`(?m)^(?:kit|hint): injected: (\w+) failed with (\w+) at (\S+:\d+) ` +
		`\((the engine|step \d, (\S+))\)$`)

func hit(stderr string, r sweepRun) bool {
	m := injected.FindStringSubmatch(stderr)
	return m != nil && m[1] == r.Call && m[2] == unix.ErrnoName(r.Errno)
}

// checkError looks at the words of a kit that has failed: the step, the call and its
// object, the cause.
func (w *sweeper) checkError() {
	r, m := w.result, injected.FindStringSubmatch(w.result.err)
	line, _, _ := strings.Cut(r.err[strings.Index("\n"+r.err, "\nkit: "):], "\n")
	began := "kit: "
	if m[5] != "" {
		began += m[5] + ": "
	}
	// With --init, the Go library clones and executes in one, and has one error for both.
	command := w.command.Call == "execve" ||
		strings.HasPrefix(w.command.Place, "internal/container/init.go")
	switch {
	case r.exit != 125 && (r.exit != 126 || !command):
		w.complain("exit status")
	case !strings.HasPrefix(line, began):
		w.complain("the step is not named")
	case !strings.Contains(line, w.command.Errno.Error()):
		w.complain("the cause is not told")
	case len(strings.Fields(strings.TrimPrefix(line, began))) < 3:
		w.complain("no object")
	}
}

// checkLeft wants nothing left behind; or, where it was the clean-up that failed,
// nothing that kit clean does not remove.
func (w *sweeper) checkLeft(left []string) {
	if !slices.Equal(left, w.before) {
		if !w.command.endsEarly() || w.result.exit != 125 {
			w.complain("left behind:\n" + difference(strings.Join(w.before, "\n"), strings.Join(left, "\n")))
		}
	}
	if r := runKit(w.t, "clean"); r.exit != 0 || r.err != "" {
		w.complain("kit clean: " + r.err)
	}
	if left := w.survey(2 * time.Second); !slices.Equal(left, w.before) {
		w.complain("left behind after kit clean:\n" +
			difference(strings.Join(w.before, "\n"), strings.Join(left, "\n")))
		w.before = left
	}
}

// survey waits for what is about to go, and returns what is left.
func (w *sweeper) survey(patience time.Duration) (left []string) {
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		left = w.left()
		if slices.Equal(left, w.before) || time.Now().After(deadline) {
			return left
		}
	}
}

// left are the processes, mounts, cgroups, links, rules, switches and files there are.
func (w *sweeper) left() (list []string) {
	for _, process := range ktest.Survivors(0) {
		list = append(list, "process "+process)
	}
	for _, dir := range ownCgroups(w.t, "kit-"+w.name) {
		list = append(list, "cgroup "+dir)
	}
	if os.Geteuid() == 0 { // a user's are in namespaces that have gone
		for line := range strings.Lines(ktest.Mounts(w.t)) {
			list = append(list, "mount "+strings.TrimSpace(line))
		}
		for _, name := range linkNames(w.t) {
			list = append(list, "link "+name)
		}
		tables, err := (&nftables.Conn{}).ListTables()
		require.NoError(w.t, err)
		for _, table := range tables {
			list = append(list, "table "+table.Name)
		}
		text, err := os.ReadFile("/proc/sys/net/ipv4/ip_forward")
		require.NoError(w.t, err)
		list = append(list, "ip_forward "+strings.TrimSpace(string(text)))
	}
	removeUpper()
	for _, dir := range []string{
		os.Getenv("KIT_STATE"), os.Getenv("KIT_CACHE"), containersDir(), os.TempDir(),
	} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			list = append(list, "file "+filepath.Join(dir, e.Name()))
		}
	}
	return list
}

func (w *sweeper) complain(what string) {
	w.t.Errorf("%s\nkit %v\nexit %d\n%s", what, w.command, w.result.exit, w.result.err)
}

// difference is what two texts do not have in common, as diff tells it.
func difference(a, b string) string {
	cmd := exec.Command("sh", "-c", `printf %s "$1" > $3/a; printf %s "$2" > $3/b; cd $3; diff a b`,
		"sh", a, b, os.TempDir())
	out, _ := cmd.Output()
	for _, name := range []string{"a", "b"} {
		_ = os.Remove(filepath.Join(os.TempDir(), name))
	}
	return string(out)
}
