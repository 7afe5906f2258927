package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/sys/mountinfo"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/procfs"
)

// start starts a command, and returns the process of the name sleep in it.
func start(t testing.TB, cmd *exec.Cmd) int {
	t.Helper()
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = setAlone(cmd.SysProcAttr)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
		_ = cmd.Wait()
	})
	found := 0
	require.Eventually(t, func() bool {
		found = sleeper(cmd.Process.Pid)
		return found != 0
	}, 10*time.Second, 5*time.Millisecond, "%v: no sleep in it", cmd.Args)
	return found
}

// setAlone puts the command into a process group of its own, which is killed as a whole.
func setAlone(a *syscall.SysProcAttr) *syscall.SysProcAttr {
	if a == nil {
		a = &syscall.SysProcAttr{}
	}
	a.Setpgid = true
	return a
}

func sleeper(pid int) int {
	if s, err := procfs.ReadStatus(pid); err == nil && s.Name == "sleep" {
		return pid
	}
	for _, child := range children(pid) {
		if found := sleeper(child); found != 0 {
			return found
		}
	}
	return 0
}

// gained checks a process, and returns the items that gained their points, and all by name.
func gained(t testing.TB, pid int) (names string, items map[string]Item) {
	t.Helper()
	list, err := Container(pid, 6)
	require.NoError(t, err)
	items = map[string]Item{}
	var done []string
	for _, i := range list {
		items[i.Name] = i
		require.NotEmpty(t, i.Got, "%s", i.Name)
		if i.Points > 0 {
			done = append(done, i.Name)
			require.Equal(t, i.Of, i.Points)
		}
		if i.Points < i.Of {
			require.Len(t, i.Hints, 3, "%s", i.Name)
			for _, h := range i.Hints {
				require.NotContains(t, h, "{pid}")
				require.NotContains(t, h, "%!")
			}
		} else {
			require.Empty(t, i.Hints)
		}
	}
	return strings.Join(done, " "), items
}

// asRoot replaces a word that only another user's map gains: root's maps 0 to 0.
func asRoot(want string) string {
	if os.Geteuid() == 0 {
		return strings.TrimSpace(strings.ReplaceAll(" "+want+" ", " ids ", " "))
	}
	return want
}

// TestHalfDone: what is made by hand gains exactly its items, and hints tell what is missing.
func TestHalfDone(t *testing.T) {
	ktest.RequireTool(t, "unshare", "busybox", "ip", "setpriv")
	root := ktest.Rootfs(t)
	for _, test := range []struct {
		name, command, want string
		item, hint          string // of an item that is missing, a part of its third hint
	}{
		{"the host's", "sleep 60", "", "mnt", "unshare(CLONE_NEWNS)"},
		{"output", "echo uid=0; HOSTNAME=box NSpid=1 sleep 60", "", "hostname", "sethostname"},
		{
			"root", "unshare -r chroot ROOT sleep 60", "root cwd program descriptors ids",
			"pid", "fork after it",
		},
		{"mnt", "unshare -rm sleep 60", "mnt propagation ids", "root", "chroot("},
		{"pid", "unshare -rpf sleep 60", "pid init ids", "proc", "The /proc inside is the old one"},
		{"proc", "unshare -rpf --mount-proc sleep 60", "mnt pid init proc propagation ids", "", ""},
		{"second", "unshare -rpf sh -c 'sleep 60; :'", "pid ids", "init", "is number 2 in there"},
		{"uts", "unshare -ru sleep 60", "uts ids", "hostname", "still has the host's name"},
		{"hostname", "unshare -ru sh -c 'hostname box; exec sleep 60'", "uts hostname ids", "", ""},
		{"ipc", "unshare -ri sleep 60", "ipc ids", "", ""},
		{"nobody", "unshare -U sleep 60", "", "ids", "has no root: from outside write"},
		{"cgroup", "unshare -rC sleep 60", "ids cgroup-ns", "cgroup", "cgroup.procs"},
		{"net", "unshare -rn sleep 60", "ids net", "loopback", "lo, is down"},
		{
			"loopback", "unshare -rn sh -c 'ip link set lo up; exec sleep 60'", "ids net loopback",
			"address", "there is nothing but the loopback interface",
		},
		{
			"both ends", "unshare -rn sh -c 'ip link add v0 type veth peer name v1; ip addr add " +
				"10.1.2.3/24 dev v0; ip link set v0 up; ip link set v1 up; exec sleep 60'",
			"ids net address", "pair", "is to be outside",
		},
		{
			"no pivot", "unshare -rm sh -c 'mount --bind ROOT ROOT; exec chroot ROOT sleep 60'",
			"root cwd program descriptors mnt propagation ids", "old-root", "Above its / is a directory",
		},
		{
			"old root", "unshare -rm sh -c 'mount --bind ROOT ROOT; cd ROOT; mkdir -p old; " +
				"pivot_root . old; exec chroot . sleep 60'",
			"root cwd program descriptors mnt propagation ids", "old-root", `umount2("/old", MNT_DETACH)`,
		},
		{
			"pivot", "unshare -rm sh -c 'mount --bind ROOT ROOT; cd ROOT; mkdir -p old; " +
				"pivot_root . old; umount -l old; exec chroot . sleep 60'",
			"root cwd program descriptors mnt old-root propagation ids", "", "",
		},
		{
			"secrets", "unshare -rmpf chroot ROOT sh -c 'mount -t proc p /proc; exec sleep 60'",
			"root cwd program descriptors mnt pid init proc propagation ids",
			"read-only", `mount("/proc/sys"`,
		},
		{
			"read-only", "unshare -rmpf chroot ROOT sh -c 'mount -t proc p /proc; " +
				"for d in sys irq bus; do mount --bind /proc/$d /proc/$d; " +
				"mount -o remount,bind,ro,nosuid,nodev,noexec /proc/$d; done; exec sleep 60'",
			"root cwd program descriptors mnt pid init proc propagation ids read-only", "", "",
		},
		{"nnp", "setpriv --no-new-privs sleep 60", "no-new-privs", "seccomp", "SECCOMP_SET_MODE_FILTER"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command("sh", "-c", strings.ReplaceAll(test.command, "ROOT", root))
			cmd.Dir = root
			names, items := gained(t, start(t, cmd))
			require.Equal(t, asRoot(test.want), names)
			if test.hint != "" {
				require.Contains(t, items[test.item].Hints[2], test.hint)
			}
		})
	}
}

// TestTasks: what no shell can leave out.
func TestTasks(t *testing.T) {
	ktest.RequireTool(t, "busybox")
	root := ktest.Rootfs(t)
	for task, want := range map[string]string{
		"no-chdir": "root program descriptors ids",
		"no-exec":  "root cwd descriptors ids",
		"leak":     "root cwd program ids",
		"filter":   "ids no-new-privs seccomp",
		"thread":   "ids",
	} {
		t.Run(task, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), "CHECK_TASK="+task, "CHECK_ROOT="+root)
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Cloneflags:  unix.CLONE_NEWUSER,
				UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
				GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
			}
			names, items := gained(t, start(t, cmd))
			require.Equal(t, asRoot(want), names, "%v", items)
			if task == "thread" {
				require.Contains(t, items["uts"].Got, "but its thread")
				require.Contains(t, items["uts"].Hints[2], "LockOSThread")
			}
		})
	}
}

// TestParent: who checks the process that made the namespaces is told of the child that is
// in them.
func TestParent(t *testing.T) {
	ktest.RequireTool(t, "unshare")
	pid := start(t, exec.Command("unshare", "-rpf", "sleep", "60"))
	s, err := procfs.ReadStatus(pid)
	require.NoError(t, err)
	names, items := gained(t, s.PPid)
	require.Equal(t, asRoot("ids"), names)
	require.Contains(t, items["pid"].Got, "its child "+strconv.Itoa(pid)+" is PID 1 of another one")
	require.Contains(t, items["pid"].Got, "its children are born in another one")
}

// TestShared: a mount namespace whose mounts are peers of the host's. The host is one of our
// own, as its mounts have to be shared.
func TestShared(t *testing.T) {
	ktest.RequireTool(t, "unshare")
	cmd := exec.Command("unshare", "-rm", "sh", "-c", "mount --make-rshared / && exec \"$@\"", "sh",
		os.Args[0], "-test.run=^TestInShared$", "-test.v")
	cmd.Env = append(os.Environ(), "CHECK_SHARED=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: TestInShared")
}

func TestInShared(t *testing.T) {
	if os.Getenv("CHECK_SHARED") == "" {
		t.Skip("a helper of TestShared")
	}
	names, items := gained(t, start(t, exec.Command("unshare", "-m", "--propagation=unchanged",
		"sleep", "60")))
	require.Equal(t, "mnt", names)
	require.Contains(t, items["propagation"].Hints[2], "is shared:")
	names, _ = gained(t, start(t, exec.Command("unshare", "-m", "sleep", "60")))
	require.Equal(t, "mnt propagation", names)
	names, _ = gained(t, start(t, exec.Command("unshare", "-m", "--propagation=slave", "sleep", "60")))
	require.Equal(t, "mnt propagation", names)
}

// TestPair: a bridge outside, in a network of our own, and what is made of a pair to it.
func TestPair(t *testing.T) {
	ktest.RequireTool(t, "unshare", "ip", "nsenter")
	ready := filepath.Join(t.TempDir(), "ready")
	script := `ip link add br0 type bridge; ip link set br0 up
		unshare -n sleep 60 & pid=$!
		until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
		ip link add ve0 type veth peer name eth0 netns $pid; ip link set ve0 up
		in="nsenter -t $pid -n ip"; $in link set lo up; $in addr add 10.1.0.2/24 dev eth0
		$in link set eth0 up; $in route add default via 10.1.0.1; : > READY; wait`
	cmd := exec.Command("unshare", "-rn", "sh", "-c", strings.ReplaceAll(script, "READY", ready))
	start(t, cmd)
	require.Eventually(t, func() bool { return unix.Access(ready, unix.F_OK) == nil },
		10*time.Second, 5*time.Millisecond)
	pid := sleeper(cmd.Process.Pid)
	names, items := gained(t, pid)
	require.Equal(t, asRoot("ids net loopback address route"), names)
	require.Contains(t, items["pair"].Hints[2], "ve0 has no master")
	outer := strconv.Itoa(cmd.Process.Pid)
	out, err := exec.Command("nsenter", "-t", outer, "-U", "-n", "--preserve-credentials",
		"ip", "link", "set", "ve0", "master", "br0").CombinedOutput()
	require.NoError(t, err, "%s", out)
	names, items = gained(t, pid)
	require.Equal(t, asRoot("ids net loopback address route pair"), names)
	require.Equal(t, "eth0 is a pair with ve0, a port of bridge br0", items["pair"].Got)
}

// TestLayers: an overlay; a base that somebody writes to; an upper directory of two.
func TestLayers(t *testing.T) {
	ktest.RequireTool(t, "unshare", "busybox")
	root, dir := ktest.Rootfs(t), ktest.PublicDir(t)
	dir = filepath.Join(dir, "odd, one")
	for _, name := range []string{"", "upper", "work", "merged"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	odd := strings.ReplaceAll(dir, ",", `\,`)
	options := "lowerdir=" + root + ",upperdir=" + odd + "/upper,workdir=" + odd + "/work,userxattr"
	script := "mount -t overlay o -o '" + options + "' '" + dir + "/merged' && exec chroot '" + dir +
		"/merged' sleep 60"
	one := start(t, exec.Command("unshare", "-rm", "sh", "-c", script))
	const base = "root cwd program descriptors mnt propagation ids overlay"
	names, items := gained(t, one)
	require.Equal(t, asRoot(base+" upper base"), names, "%v", items)
	require.Contains(t, items["upper"].Got, dir+"/upper, ")

	two := start(t, exec.Command("unshare", "-rm", "sh", "-c", script))
	names, items = gained(t, two)
	require.Equal(t, asRoot(base+" base"), names)
	require.Contains(t, items["upper"].Hints[2], "is in the mounts of process")

	require.Eventually(t, func() bool {
		require.NoError(t, os.WriteFile(filepath.Join(root, "written"), nil, 0o644))
		_, items = gained(t, one)
		return items["base"].Points == 0
	}, 10*time.Second, 50*time.Millisecond)
	require.Contains(t, items["base"].Got, root)
}

// TestLayersOf: how the kernel tells directories with odd names.
func TestLayersOf(t *testing.T) {
	for options, want := range map[string][]string{
		`rw,lowerdir=/a:/b,upperdir=/u,workdir=/w`:                     {"/u", "/a", "/b"},
		`rw,lowerdir=/a\134:b:/c\040d,upperdir=/u\134\054v,workdir=/w`: {"/u,v", "/a:b", "/c d"},
		`ro,lowerdir=/a::/data`:                                        {"", "/a", "/data"},
		`rw,lowerdir+=/a:b,lowerdir+=/c,upperdir=/u,workdir=/w`:        {"/u", "/a:b", "/c"},
		`rw`: {""},
	} {
		l := layersOf(&mountinfo.Info{FSType: "overlay", VFSOptions: options})
		require.Equal(t, want, append([]string{l.upper}, l.lower...), "%s", options)
	}
	require.Nil(t, layersOf(&mountinfo.Info{FSType: "ext4", VFSOptions: "rw"}))
	require.Nil(t, layersOf(nil))
}

// TestEnded: what is not there, or not any more, is no container with no points.
func TestEnded(t *testing.T) {
	cmd := exec.Command("true")
	require.NoError(t, cmd.Start())
	pid := cmd.Process.Pid
	require.Eventually(t, func() bool { // a zombie first
		_, err := Container(pid, 1)
		return err != nil
	}, 10*time.Second, time.Millisecond)
	_, err := Container(pid, 1)
	require.ErrorIs(t, err, unix.ESRCH)
	require.NoError(t, cmd.Wait())
	_, err = Container(pid, 1)
	require.ErrorIs(t, err, unix.ESRCH)
}

// TestOthers: what another user may not read is said, and gains nothing.
func TestOthers(t *testing.T) {
	ktest.User(t)
	_, items := gained(t, 1)
	require.Equal(t, "not readable: needs root or the same user", items["root"].Got)
	require.Contains(t, items["root"].Hints[2], "run kit check as root")
	require.Equal(t, "not readable: needs root or the same user", items["mnt"].Got)
}

// TestSum: each step has ten points.
func TestSum(t *testing.T) {
	sums, names := map[int]int{}, map[string]bool{}
	for _, e := range exercises() {
		sums[e.step] += e.of
		key := strconv.Itoa(e.step) + e.name
		require.False(t, names[key], "%s", key)
		names[key] = true
	}
	require.Equal(t, map[int]int{1: 10, 2: 11, 3: 10, 4: 10, 5: 10, 6: 10}, sums)
	for _, i := range List(6) {
		require.NotContains(t, strings.Join(i.Hints, ""), "{pid}")
	}
	points, of := Sum([]Item{{Points: 1, Of: 2}, {Points: 3, Of: 3}})
	require.Equal(t, []int{4, 5}, []int{points, of})
}
