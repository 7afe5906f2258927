//go:build linux

package scene

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/procfs"
)

// sleeper starts a process in namespaces of its own, with a link that is up: as an
// ordinary user in a user namespace, too.
func sleeper(t *testing.T) (pid int) {
	t.Helper()
	ktest.RequireTool(t, "unshare", "ip")
	args := []string{"-m", "-n", "-u"}
	if os.Geteuid() != 0 {
		args = append(args, "-U", "-r")
	}
	const script = "ip link set lo up && ip link add v0 type veth peer name v1 && " +
		"ip link set v0 up && ip addr add 10.9.8.7/24 dev v0 && " +
		"mount -t tmpfs here /mnt && echo ready && exec sleep 100"
	cmd := exec.Command("unshare", append(args, "sh", "-c", script)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
	})
	_, err = out.Read(make([]byte, 16))
	require.NoError(t, err)
	return cmd.Process.Pid
}

func TestTake(t *testing.T) {
	pid := sleeper(t)
	s := Take(Run, []Subject{{os.Getpid(), "host"}, {pid, "command"}, {1 << 29, "kit"}})
	require.Equal(t, Run, s.Moment)
	require.Len(t, s.Processes, 2, "one is not there")
	require.Empty(t, s.Errors)
	command := s.Processes[slices.IndexFunc(s.Processes, func(p Process) bool { return p.Pid == pid })]
	require.Equal(t, "command", command.Role)
	require.Equal(t, os.Getpid(), command.Parent)

	require.Len(t, s.Mounts, 2)
	require.Equal(t, link(t, 0, "mnt"), s.Mounts[0].Namespace, "the host's come first")
	require.Equal(t, link(t, pid, "mnt"), s.Mounts[1].Namespace)
	i := slices.IndexFunc(s.Mounts[1].Mounts, func(m Mount) bool { return m.Target == "/mnt" })
	require.GreaterOrEqual(t, i, 0)
	m := s.Mounts[1].Mounts[i]
	require.Equal(t, []string{"tmpfs", "here", "/"}, []string{m.Type, m.Source, m.Root})

	require.Len(t, s.Networks, 2)
	n := s.Networks[1]
	require.Equal(t, link(t, pid, "net"), n.Namespace)
	agree(t, pid, n)
	v0, v1 := n.Links[at(n, "v0")], n.Links[at(n, "v1")]
	require.Equal(t, []int{v1.Index, v0.Index}, []int{v0.Peer, v1.Peer})
	require.Empty(t, v0.PeerNamespace, "the peer is here")
	require.Contains(t, n.Routes, "10.9.8.0/24 dev v0 src 10.9.8.7")
}

// agree compares a network with what ip says about it.
func agree(t *testing.T, pid int, n Network) {
	t.Helper()
	args := []string{"-t", strconv.Itoa(pid), "-n", "ip", "-j", "addr"}
	if os.Geteuid() != 0 {
		args = append([]string{"-U", "--preserve-credentials"}, args...)
	}
	out, err := exec.Command("nsenter", args...).Output()
	require.NoError(t, err)
	var links []struct {
		Ifname, Address string
		Ifindex, MTU    int
		Flags           []string
		Info            []struct {
			Local     string
			Prefixlen int
		} `json:"addr_info"`
	}
	require.NoError(t, json.Unmarshal(out, &links))
	require.Len(t, n.Links, len(links))
	for i, want := range links {
		l := n.Links[i]
		require.Equal(t, want.Ifname, l.Name)
		require.Equal(t, want.Ifindex, l.Index)
		require.Equal(t, want.MTU, l.MTU)
		require.Equal(t, slices.Contains(want.Flags, "UP"), l.Up, l.Name)
		var addresses []string
		for _, a := range want.Info {
			addresses = append(addresses, fmt.Sprintf("%s/%d", a.Local, a.Prefixlen))
		}
		require.ElementsMatch(t, addresses, l.Addresses, l.Name)
		if l.Kind != "loopback" {
			require.Equal(t, want.Address, l.MAC)
		}
	}
}

func at(n Network, name string) int {
	return slices.IndexFunc(n.Links, func(l Link) bool { return l.Name == name })
}

func link(t *testing.T, pid int, kind string) string {
	t.Helper()
	link, err := os.Readlink(procfs.Path(pid, "ns/"+kind))
	require.NoError(t, err)
	return link
}

// TestCgroups: parents come before children, and a process stands where /proc says.
func TestCgroups(t *testing.T) {
	s := Take(Before, []Subject{{os.Getpid(), "host"}})
	own, err := procfs.Cgroups(0)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, g := range s.Cgroups {
		if g.Path != "/" {
			parent := g.Dir[:strings.LastIndexByte(g.Dir, '/')]
			require.True(t, seen[parent], "%s before its parent", g.Dir)
		}
		seen[g.Dir] = true
		if len(g.Procs) == 0 {
			continue
		}
		require.Equal(t, []int{os.Getpid()}, g.Procs)
		require.True(t, slices.ContainsFunc(own, func(c procfs.Cgroup) bool {
			return c.Path == g.Path && (c.V2() && g.Hierarchy == "v2" ||
				strings.Join(c.Controllers, ",") == g.Hierarchy)
		}), "%+v", g)
	}
	require.NotEmpty(t, seen)
}

// TestSocketLeavesNothing: neither a process nor a descriptor stays.
func TestSocketLeavesNothing(t *testing.T) {
	pid := sleeper(t)
	subjects := []Subject{{pid, "command"}}
	Take(Run, subjects)
	before := descriptors(t)
	for range 20 {
		require.Empty(t, Take(Run, subjects).Errors)
	}
	require.Equal(t, before, descriptors(t))
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(list)
}

func BenchmarkTake(b *testing.B) {
	for b.Loop() {
		Take(Before, []Subject{{os.Getpid(), "host"}})
	}
}
