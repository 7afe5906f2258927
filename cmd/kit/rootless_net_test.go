//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// A user starts kit without root: the test's own user, or uid 1000 where that is
// root.
type user struct {
	kit, root    string
	state, cache string // kit's directories
	cred         *syscall.Credential
}

// someUser also proves, at the end, that nothing of the containers is left.
func someUser(t *testing.T) *user {
	t.Helper()
	u := &user{kit: "kit", root: ktest.Rootfs(t)}
	if os.Geteuid() == 0 {
		u.cred = &syscall.Credential{Uid: 1000, Gid: 1000}
		u.kit = ktest.Build(t, "github.com/containerkit/kit/cmd/kit")
		require.NoError(t, filepath.WalkDir(u.root, func(path string, _ fs.DirEntry, err error) error {
			require.NoError(t, err)
			return os.Lchown(path, 1000, 1000)
		}))
	}
	ktest.Clean(t)
	u.state, u.cache = os.Getenv("KIT_STATE"), os.Getenv("KIT_CACHE")
	for _, dir := range []string{u.state, u.cache} {
		require.NoError(t, os.Mkdir(dir, 0o700))
		if u.cred != nil {
			require.NoError(t, os.Chown(dir, 1000, 1000))
		}
	}
	return u
}

// command is kit step 5 with a shell script.
func (u *user) command(script string, flags ...string) *exec.Cmd {
	cmd := exec.Command(u.kit, untraced(5, u.root, script, flags...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: u.cred}
	return cmd
}

// start starts a container that runs until its input ends.
func (u *user) start(t *testing.T, name string, flags ...string) *running {
	t.Helper()
	flags = append([]string{"--name", name}, flags...)
	r := launch(t, u.command("echo ready; exec cat", flags...))
	r.expect(t, "ready")
	return r
}

// launch starts a command, which ends with its input, at the end of the test.
func launch(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	r := &running{Cmd: cmd}
	stdout, err := r.StdoutPipe()
	require.NoError(t, err)
	r.in, err = r.StdinPipe()
	require.NoError(t, err)
	r.Stderr = os.Stderr
	require.NoError(t, r.Start())
	t.Cleanup(func() { r.end(t) })
	r.out = newLineReader(stdout)
	return r
}

// A place is where a container's parent runs.
type place struct{ user, net string }

// place finds the parent by the container's name.
func (u *user) place(t *testing.T, name string) place {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(u.state, name+".json"))
	require.NoError(t, err)
	var s struct {
		KitPid    int `json:"kit_pid"`
		Container struct{ Net struct{ Outer uint64 } }
	}
	require.NoError(t, json.Unmarshal(text, &s))
	p := place{namespace(t, s.KitPid, "user"), namespace(t, s.KitPid, "net")}
	require.Equal(t, p.net, fmt.Sprintf("net:[%d]", s.Container.Net.Outer))
	return p
}

func namespace(t *testing.T, pid int, kind string) string {
	t.Helper()
	link, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/" + kind)
	require.NoError(t, err)
	return link
}

// empty waits until no process is in any of a place's namespaces.
func (p place) empty(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return len(p.inhabitants()) == 0 },
		5*time.Second, 5*time.Millisecond, "still there: %v", p.inhabitants())
}

func (p place) inhabitants() (commands []string) {
	links, _ := filepath.Glob("/proc/[0-9]*/ns")
	for _, ns := range links {
		userNS, _ := os.Readlink(ns + "/user")
		netNS, _ := os.Readlink(ns + "/net")
		command, _ := os.ReadFile(filepath.Dir(ns) + "/cmdline")
		if len(command) > 0 && (userNS == p.user || netNS == p.net) { // a zombie has none
			commands = append(commands, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return commands
}

// TestOuterNetworkIsShared: the second container's parent runs where the first
// one's does, and goes on there alone.
func TestOuterNetworkIsShared(t *testing.T) {
	u := someUser(t)
	one := u.start(t, "one")
	first := u.place(t, "one")
	require.NotEqual(t, namespace(t, os.Getpid(), "net"), first.net)
	two := u.start(t, "two")
	require.Equal(t, first, u.place(t, "two"))
	require.Zero(t, one.end(t))
	require.Equal(t, first, u.place(t, "two"))
	three := u.start(t, "three")
	require.Equal(t, first, u.place(t, "three"))
	require.Zero(t, two.end(t))
	require.Zero(t, three.end(t))
	first.empty(t)
	u.start(t, "four")
	u.place(t, "four") // a new one
}

// TestOuterNetworkTraced: the observer's containers share it, too, and show how.
func TestOuterNetworkTraced(t *testing.T) {
	u := someUser(t)
	dir := ktest.PublicDir(t)
	require.NoError(t, os.Chmod(dir, 0o777))
	traced := func(name string) (*running, string) {
		file := filepath.Join(dir, name)
		return u.start(t, name, "--trace=steps", "--trace-file", file), file
	}
	one, _ := traced("one")
	first := u.place(t, "one")
	two, file := traced("two")
	require.Equal(t, first, u.place(t, "two"))
	require.Zero(t, one.end(t))
	require.Equal(t, first, u.place(t, "two"))
	require.Zero(t, two.end(t))
	first.empty(t)

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, want := range []string{
		"step 0 root without being root", "One call enters them all, the user namespace first.",
		"nstype: CLONE_NEWUSER|CLONE_NEWNET", "→ " + first.net, "→ " + first.user,
	} {
		require.Contains(t, string(text), want)
	}
}

// TestOuterNetworkAtOnce starts ten at the same time: there is one.
func TestOuterNetworkAtOnce(t *testing.T) {
	u := someUser(t)
	var kits []*running
	for i := range 10 {
		cmd := u.command("echo ready; exec cat", "--name", fmt.Sprint("at-once-", i))
		kits = append(kits, launch(t, cmd))
	}
	places := map[place]int{}
	for i, kit := range kits {
		kit.expect(t, "ready")
		places[u.place(t, fmt.Sprint("at-once-", i))]++
	}
	require.Len(t, places, 1)
	for _, kit := range kits {
		require.Zero(t, kit.end(t))
	}
	for p := range places {
		p.empty(t)
	}
}

// TestOuterNetworkKilled kills the kit that has made it: the other one's goes on,
// and a third one finds it.
func TestOuterNetworkKilled(t *testing.T) {
	u := someUser(t)
	one, two := u.start(t, "one"), u.start(t, "two")
	first := u.place(t, "one")
	family := descendants(t, one.Process.Pid)
	require.NoError(t, one.Process.Kill())
	require.Equal(t, 137, one.exit(t))
	require.Eventually(t, func() bool { return alive(family) == nil }, 5*time.Second, time.Millisecond)
	three := u.start(t, "three")
	require.NoFileExists(t, filepath.Join(u.state, "one.json"), "swept by the next one")
	require.Equal(t, first, u.place(t, "two"))
	require.Equal(t, first, u.place(t, "three"))
	require.Zero(t, two.end(t))
	require.NoError(t, three.Process.Kill())
	require.Equal(t, 137, three.exit(t))
	first.empty(t)
	u.sweep(t, "three")
}

// sweep removes what a killed kit leaves for kit clean.
func (u *user) sweep(t *testing.T, names ...string) {
	t.Helper()
	require.NoError(t, os.Remove(filepath.Join(u.state, "index")))
	for _, name := range names {
		require.NoError(t, os.Remove(filepath.Join(u.state, name+".json")))
		require.NoError(t, os.RemoveAll(filepath.Join(u.cache, "containers", name)))
		require.NoError(t, os.RemoveAll(filepath.Join(u.state, name+".net")))
	}
}

// TestOuterNetworkKilledAtAnyMoment: however far a kit came, the next one starts.
func TestOuterNetworkKilledAtAnyMoment(t *testing.T) {
	u := someUser(t)
	u.start(t, "stays")
	first := u.place(t, "stays")
	for delay := time.Duration(0); delay < 24*time.Millisecond; delay += 800 * time.Microsecond {
		cmd := u.command("exec sleep 1000", "--name", "killed")
		require.NoError(t, cmd.Start())
		time.Sleep(delay)
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		// What has the name ends a moment after kit.
		require.Eventually(t, func() bool {
			r := finish(t, u.command("true", "--name", "killed"))
			return r.exit == 0
		}, 5*time.Second, 10*time.Millisecond)
	}
	require.Equal(t, first, u.place(t, "stays"))
}

// TestSharingWithoutRoot: a pod of two containers, without root.
func TestSharingWithoutRoot(t *testing.T) {
	u := someUser(t)
	u.start(t, "pod")
	pid := payload(t, u.kitPid(t, "pod"), "cat")[0]
	for _, kind := range []string{"ipc", "pid"} {
		r := finish(t, u.command("readlink /proc/self/ns/"+kind, "--"+kind, "container:pod"))
		require.Zero(t, r.exit, r.err)
		require.Equal(t, namespace(t, pid, kind)+"\n", r.out)
	}
	u.start(t, "host", "--ipc", "host")
	r := finish(t, u.command("readlink /proc/self/ns/ipc", "--ipc", "container:host"))
	require.Zero(t, r.exit, r.err)
	require.Equal(t, namespace(t, os.Getpid(), "ipc")+"\n", r.out)
}

// TestSharingOfTwoWithoutRoot: two user namespaces cannot both be entered.
func TestSharingOfTwoWithoutRoot(t *testing.T) {
	u := someUser(t)
	for _, name := range []string{"one", "two"} {
		cmd := exec.Command(u.kit, untraced(2, u.root, "echo ready; exec cat", "--name", name)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: u.cred}
		launch(t, cmd).expect(t, "ready")
	}
	r := finish(t, u.command("true", "--ipc", "container:one", "--pid", "container:two"))
	require.Equal(t, 125, r.exit, r.err)
	require.Regexp(t, "kit: namespaces: open /proc/[0-9]+/ns/pid: permission denied\n"+
		"hint: .*\nhint: .* same user namespace", r.err)
}

func (u *user) kitPid(t *testing.T, name string) (pid int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(u.state, name+".json"))
	require.NoError(t, err)
	var s struct {
		KitPid int `json:"kit_pid"`
	}
	require.NoError(t, json.Unmarshal(text, &s))
	return s.KitPid
}
