//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/check"
	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/steps"
)

// graded is what kit check says of a process.
func graded(t *testing.T, args ...string) (g grade, exit int) {
	t.Helper()
	r := finish(t, exec.Command("kit", append([]string{"check", "6", "--json"}, args...)...))
	require.Empty(t, r.err)
	require.NoError(t, json.Unmarshal([]byte(r.out), &g))
	points, of := check.Sum(g.Items)
	require.Equal(t, []int{points, of}, []int{g.Points, g.Of})
	return g, r.exit
}

// perStep adds up the points of each step.
func perStep(items []check.Item) (points [6]int) {
	for _, i := range items {
		points[i.Step-1] += i.Points
	}
	return points
}

// notGained tells which items have not gained their points, and why.
func notGained(items []check.Item, step int) (list []string) {
	for _, i := range items {
		if i.Step <= step && i.Points < i.Of {
			list = append(list, i.Name+": "+i.Got)
		}
	}
	return list
}

// TestCheckSteps: a container of each step has all points of the steps that built it, and
// none of those that come later.
func TestCheckSteps(t *testing.T) {
	ktest.Root(t)
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	for n := 1; n <= len(steps.All); n++ {
		t.Run(steps.All[n-1].Name, func(t *testing.T) {
			name := fmt.Sprint("check-", n, "-", os.Getpid())
			args := []string{
				"step", strconv.Itoa(n), "--trace=off", "--name", name, "--rootfs", root,
			}
			if n >= 3 {
				needLimits(t, "memory", "pids", "cpu")
				args = append(args, "--memory=64m", "--pids-limit=50", "--cpus=0.5")
			}
			cmd := exec.Command("kit", append(args, "--", "sleep", "60")...)
			pid := awaitSleep(t, cmd)
			g, exit := graded(t, name)
			require.Empty(t, notGained(g.Items, n))
			var want [6]int
			for i := range n {
				want[i] = 10
			}
			require.Equal(t, want, perStep(g.Items))
			require.Equal(t, name, g.Name)
			require.Equal(t, pid, g.Pid)
			require.Equal(t, n == len(steps.All), exit == 0)
			require.NoError(t, killAll([]int{pid}))
			_ = cmd.Wait()
		})
	}
}

// TestCheckStepsUser: without root kit's step 1 comes with a user namespace and one of
// mounts, which step 2 asks for, and only the cgroup has to be given.
func TestCheckStepsUser(t *testing.T) {
	ktest.User(t)
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	for n, want := range map[int][6]int{
		1: {10, 3, 0, 0, 0, 0}, // mnt, propagation, ids
		2: {10, 11, 0, 0, 0, 0},
		6: {10, 11, 1, 10, 10, 10}, // the cgroup namespace
	} {
		cmd := exec.Command("kit", "step", strconv.Itoa(n), "--trace=off", "--rootfs", root, "--",
			"sleep", "60")
		pid := awaitSleep(t, cmd)
		g, _ := graded(t, strconv.Itoa(pid))
		got := perStep(g.Items)
		if got[2] > 1 { // the machine has delegated a cgroup: what is limited there is not our choice
			want[2] = got[2]
		}
		require.Equal(t, want, got, "%v", notGained(g.Items, n))
		require.NoError(t, killAll([]int{pid}))
		_ = cmd.Wait()
	}
}

// TestCheckInit: the first process of a container with an init is kit, its child the command.
func TestCheckInit(t *testing.T) {
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	cmd := exec.Command("kit", "step", "2", "--init", "--trace=off", "--name", "initial",
		"--rootfs", root, "--", "sleep", "60")
	pid := awaitSleep(t, cmd)
	g, _ := graded(t, "initial")
	require.Empty(t, notGained(g.Items, 2))
	require.NotEqual(t, pid, g.Pid)
	require.NoError(t, killAll([]int{pid}))
	_ = cmd.Wait()
}

// awaitSleep starts kit, and returns the process that sleeps inside.
func awaitSleep(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return payload(t, cmd.Process.Pid, "sleep")[0]
}

// TestCheckNewest: without a name it is the container that was started last.
func TestCheckNewest(t *testing.T) {
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	r := finish(t, exec.Command("kit", "check", "1"))
	require.Equal(t, 2, r.exit)
	require.Contains(t, r.err, "which process? (kit check 1 PID")
	var cmds []*exec.Cmd
	var pids []int
	for _, name := range []string{"zebra", "ape"} {
		cmd := exec.Command("kit", "step", "1", "--trace=off", "--name", name, "--rootfs", root, "--",
			"sleep", "60")
		pids = append(pids, awaitSleep(t, cmd))
		cmds = append(cmds, cmd)
	}
	g, exit := graded(t)
	require.Equal(t, "ape", g.Name)
	require.Equal(t, pids[1], g.Pid)
	require.Equal(t, 1, exit)
	r = finish(t, exec.Command("kit", "check", "1"))
	require.Zero(t, r.exit, r.out)
	require.Contains(t, r.out, fmt.Sprintf("process %d, container ape, ", pids[1]))
	require.NoError(t, killAll(pids))
	for _, cmd := range cmds {
		_ = cmd.Wait()
	}
}

// TestCheckRunc: a container of runc's, set up as docker does, with its overlay and a pair
// to a bridge, has all points.
func TestCheckRunc(t *testing.T) {
	ktest.Root(t)
	ktest.RequireTool(t, "runc", "ip", "nsenter")
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	dir := ktest.PublicDir(t)
	for _, name := range []string{"upper", "work", "merged"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	merged := filepath.Join(dir, "merged")
	if kindOf(t, dir) == unix.OVERLAYFS_SUPER_MAGIC {
		t.Skip("no upper directory on an overlay")
	}
	require.NoError(t, unix.Mount("overlay", merged, "overlay", 0,
		"lowerdir="+root+",upperdir="+dir+"/upper,workdir="+dir+"/work"))
	t.Cleanup(func() { _ = unix.Unmount(merged, unix.MNT_DETACH) })

	bundle := runcBundle(t, merged, limited, "sleep", "60")
	name := fmt.Sprint("kit-check-", os.Getpid())
	state := filepath.Join(bundle, "state")
	cmd := exec.Command("runc", "--root", state, "run", "--bundle", bundle, name)
	t.Cleanup(func() {
		_ = exec.Command("runc", "--root", state, "delete", "--force", name).Run()
	})
	pid := awaitSleep(t, cmd)
	script := `ip link add ckbr type bridge; ip link set ckbr up
		ip link add ckve type veth peer name eth0 netns $1; ip link set ckve master ckbr up
		in="nsenter -t $1 -n ip"; $in addr add 10.1.0.2/24 dev eth0; $in link set eth0 up
		$in route add default via 10.1.0.1; $in link set lo up`
	out, err := exec.Command("sh", "-ec", script, "sh", strconv.Itoa(pid)).CombinedOutput()
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", "ckbr").Run() })
	require.NoError(t, err, "%s", out)
	g, exit := graded(t, strconv.Itoa(pid))
	require.Empty(t, notGained(g.Items, 6))
	require.Zero(t, exit)
	require.NoError(t, killAll([]int{pid}))
	_ = cmd.Wait()
}

func kindOf(t *testing.T, dir string) int64 {
	t.Helper()
	var fs unix.Statfs_t
	require.NoError(t, unix.Statfs(dir, &fs))
	return fs.Type
}

// limited is what docker run --memory 64m --memory-swap 64m --pids-limit 64 --cpus 0.5
// --security-opt no-new-privileges adds.
func limited(s *specs.Spec) {
	s.Process.NoNewPrivileges = true
	own := specs.LinuxNamespace{Type: specs.CgroupNamespace}
	if !slices.Contains(s.Linux.Namespaces, own) { // runc has it where there is v2 only
		s.Linux.Namespaces = append(s.Linux.Namespaces, own)
	}
	memory, pids, quota, period := int64(64<<20), int64(64), int64(50000), uint64(100000)
	s.Linux.Resources.Memory = &specs.LinuxMemory{Limit: &memory, Swap: &memory}
	s.Linux.Resources.Pids = &specs.LinuxPids{Limit: &pids}
	s.Linux.Resources.CPU = &specs.LinuxCPU{Quota: &quota, Period: &period}
}

// TestCheckJSON: the keys for graders, and no hints but those asked for.
func TestCheckJSON(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for hints := range 4 {
		r := finish(t, exec.Command("kit", "check", "2", strconv.Itoa(cmd.Process.Pid), "--json",
			"--hints", strconv.Itoa(hints)))
		require.Equal(t, 1, r.exit)
		var g map[string]any
		require.NoError(t, json.Unmarshal([]byte(r.out), &g))
		keys := []string{"v", "pid", "name", "dir", "steps", "points", "of", "items"}
		for _, key := range keys {
			require.Contains(t, g, key)
		}
		require.Len(t, g, len(keys))
		require.EqualValues(t, 0, g["points"])
		for _, i := range g["items"].([]any) {
			item := i.(map[string]any)
			require.Len(t, item, 7)
			if item["of"].(float64) > 0 {
				require.Len(t, item["hints"], hints)
			}
		}
	}
}

// TestCheckMistaken: who has given the parent's number is told the child's.
func TestCheckMistaken(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sleep 60; true")
	child := awaitSleep(t, cmd)
	r := runKit(t, "check", "1", strconv.Itoa(cmd.Process.Pid), "--hints", "0")
	require.Equal(t, 1, r.exit, r.err)
	require.Contains(t, r.out, "nothing of what these steps make is to be seen in it\n"+
		"did you mean its child? kit check 1 "+strconv.Itoa(child)+"\n")
	require.NoError(t, killAll([]int{child}))
	require.NoError(t, cmd.Wait())
}
