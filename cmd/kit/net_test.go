//go:build linux

package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// ownHost gives the test, and all that it starts, a network namespace of its own,
// which plays the host: the machine's is never touched. It proves at the end that
// nothing of kit's is left there.
func ownHost(t *testing.T) {
	t.Helper()
	ktest.Root(t)
	// Never unlocked: the thread ends with the test, and the namespace with both.
	runtime.LockOSThread()
	require.NoError(t, unix.Unshare(unix.CLONE_NEWNET))
	require.NoError(t, netlink.LinkSetUp(&netlink.Device{
		LinkAttrs: netlink.LinkAttrs{Name: "lo"},
	}))
	ktest.Clean(t)
	t.Cleanup(func() {
		require.NotContains(t, strings.Join(linkNames(t), " "), "kit", "links left behind")
		require.Empty(t, host(t, "nft list ruleset"), "rules left behind")
	})
}

// host runs a script on the host's side.
func host(t *testing.T, script string) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", script).CombinedOutput()
	require.NoError(t, err, "%s: %s", script, out)
	return string(out)
}

// eventually waits for a condition, on this thread: other goroutines are on the
// machine's network.
func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); {
		require.True(t, time.Now().Before(deadline), what)
		time.Sleep(20 * time.Millisecond)
	}
}

// box is a container of step 5 that runs until it is told to end.
func box(t *testing.T, root, name string, flags ...string) *running {
	t.Helper()
	flags = append(flags, "--name", name)
	return start(t, untraced(5, root, "echo ready; cat", flags...)...)
}

// TestTwoServersOnPort80: each has its own port 80, at its own address and at a
// port of the host's, tcp and udp.
func TestTwoServersOnPort80(t *testing.T) {
	ktest.RequireTool(t, "nft")
	root := ktest.HostRootfs(t)
	ownHost(t)
	for i, name := range []string{"one", "two"} {
		publish := []string{
			"--name", name, "-p", fmt.Sprintf("808%d:80", i), "-p", fmt.Sprintf("808%d:80/udp", i),
		}
		start(t, untraced(5, root, "kit lab serve --addr :80 --udp & echo ready; cat", publish...)...)
	}
	for i, name := range []string{"one", "two"} {
		address := fmt.Sprintf("10.77.0.%d", i+2)
		for _, target := range []string{
			address + ":80", fmt.Sprintf("127.0.0.1:808%d", i), fmt.Sprintf("10.77.0.1:808%d", i),
		} {
			eventually(t, func() bool {
				out, err := exec.Command("curl", "-s", "-m", "2", target).Output()
				return err == nil && strings.HasPrefix(string(out), name+"\n"+address+":80\n")
			}, target)
		}
		require.Regexp(t, "^"+name+"\n.*\nping$", udpEcho(t, fmt.Sprintf("10.77.0.1:808%d", i)))
	}
}

func udpEcho(t *testing.T, address string) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(fd)
	var port int
	_, err = fmt.Sscanf(address, "10.77.0.1:%d", &port)
	require.NoError(t, err)
	to := &unix.SockaddrInet4{Port: port, Addr: [4]byte{10, 77, 0, 1}}
	require.NoError(t, unix.Connect(fd, to))
	require.NoError(t, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO,
		&unix.Timeval{Sec: 3}))
	_, err = unix.Write(fd, []byte("ping"))
	require.NoError(t, err)
	buf := make([]byte, 64)
	n, err := unix.Read(fd, buf)
	require.NoError(t, err)
	return string(buf[:n])
}

// TestContainersFindEachOther by address and by name, whoever came first.
func TestContainersFindEachOther(t *testing.T) {
	ktest.RequireTool(t, "nft", "ping")
	root := ktest.HostRootfs(t)
	ownHost(t)
	wait := "until grep -qw %s /etc/hosts; do sleep 0.05; done; ping -c 1 -W 3 %s && ping -c 1 -W 3 %s"
	one := exec.Command("kit", untraced(5, root, fmt.Sprintf(wait, "two", "two", "10.77.0.3"),
		"--name", "one")...)
	var out strings.Builder
	one.Stdout = &out
	require.NoError(t, one.Start())
	eventually(t, func() bool { return strings.Contains(host(t, "ip link"), "kit-one") }, "kit-one")
	box(t, root, "two", "--hostname", "deux")
	require.NoError(t, one.Wait(), out.String())
	require.Contains(t, out.String(), "bytes from two (10.77.0.3)")
	text := inside(t, 5, root, "cat /etc/hosts; ping -c 1 -W 3 deux", "--name", "three")
	require.Contains(t, text, "10.77.0.3\ttwo deux\n")
	require.Contains(t, text, "bytes from two (10.77.0.3)")
}

// TestSharedHosts: all on the bridge have one file, which none of them can change, and which
// goes with the last.
func TestSharedHosts(t *testing.T) {
	ktest.RequireTool(t, "nft")
	root := ktest.HostRootfs(t)
	ownHost(t)
	one, two := box(t, root, "one"), box(t, root, "two")
	number := "stat -c %i $KIT_STATE/"
	file := host(t, number+"one.net/hosts")
	require.Equal(t, file, host(t, number+"two.net/hosts"))
	try := "echo 10.77.0.2 two 2>/dev/null >>/etc/hosts || echo refused; stat -c %i /etc/hosts"
	for _, flag := range []string{"--net=bridge", "--net=container:one"} {
		require.Equal(t, "refused\n"+strings.TrimSpace(file), inside(t, 5, root, try, flag), flag)
	}
	remount := "mount -o remount,bind,rw /etc/hosts 2>/dev/null; " + try
	require.Equal(t, "refused\n"+strings.TrimSpace(file), inside(t, 6, root, remount))
	one.end(t)
	three := box(t, root, "three")
	require.Equal(t, file, host(t, number+"three.net/hosts"), "also without the first")
	text := "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n" +
		"10.77.0.3\ttwo\n10.77.0.2\tthree\n"
	require.Equal(t, text, host(t, "cat $KIT_STATE/two.net/hosts"))
	two.end(t)
	three.end(t)
	require.Empty(t, host(t, "find $KIT_STATE -name '*.net'"))
}

// TestHeldNetwork: somebody else keeps a container's network namespace from going; its
// cable is gone nevertheless when kit ends, and its name and address are free.
func TestHeldNetwork(t *testing.T) {
	ktest.RequireTool(t, "nft", "nsenter")
	root := ktest.HostRootfs(t)
	ownHost(t)
	other := box(t, root, "other")
	for range 2 {
		held := box(t, root, "held", "--ip", "10.77.0.77")
		pid := payload(t, held.Process.Pid, "cat")[0]
		holder := exec.Command("nsenter", "--net=/proc/"+strconv.Itoa(pid)+"/ns/net",
			"sh", "-c", "echo ready; exec sleep 100")
		out, err := holder.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, holder.Start())
		t.Cleanup(func() {
			_ = holder.Process.Kill()
			_ = holder.Wait()
		})
		newLineReader(out).expect(t, "ready")
		held.end(t)
		require.NotContains(t, linkNames(t), "kit-held")
	}
	other.end(t)
}

// TestNetKinds looks at which interfaces there are.
func TestNetKinds(t *testing.T) {
	ktest.RequireTool(t, "nft")
	root := ktest.HostRootfs(t)
	ownHost(t)
	links := "ip -o link | cut -d: -f2 | cut -d@ -f1 | tr -d ' \n'"
	require.Equal(t, "lo", inside(t, 5, root, links, "--net", "none"))
	require.Equal(t, "loeth0", inside(t, 5, root, links))
	require.Equal(t, "lo", inside(t, 5, root, links, "--net=host"), "those of the host")
	require.Contains(t, inside(t, 5, root, "ping -c 1 127.0.0.1; ping -c 1 ::1", "--net=none"),
		"bytes from ::1")
	require.Equal(t, strings.TrimSpace(host(t, "readlink /proc/self/ns/net")),
		strings.TrimSpace(inside(t, 5, root, "readlink /proc/self/ns/net", "--net=host")))

	box(t, root, "one")
	own := "readlink /proc/self/ns/net; hostname -I 2>/dev/null || ip -o addr show eth0"
	require.Contains(t, inside(t, 5, root, own, "--net=container:one"), "10.77.0.2")
	require.Equal(t, "10.77.0.2\tone\ntwo", inside(t, 5, root,
		"tail -n 1 /etc/hosts; cat /etc/hostname", "--net=container:one", "--name", "two"))
	refused(t, 125, "--net container:none: ", untraced(5, root, "true", "--net=container:none")...)
}

// TestSysShowsTheOwnInterfaces also where the container's root is not the host's.
func TestSysShowsTheOwnInterfaces(t *testing.T) {
	root := ktest.HostRootfs(t)
	ownHost(t)
	host(t, "ip link add other type veth peer name another")
	look := "echo $(ls /sys/class/net); ! touch /sys/kernel/x 2>/dev/null"
	for _, flag := range []string{"--userns=auto", "--userns=remap"} {
		require.Equal(t, "eth0 lo", inside(t, 5, root, look, flag), flag)
	}
	require.Equal(t, "another lo other", inside(t, 5, root, look, "--net=host"))
}

// TestAddresses: the one that is wanted, none twice, and none that is not there.
func TestAddresses(t *testing.T) {
	ktest.RequireTool(t, "nft")
	root := ktest.HostRootfs(t)
	ownHost(t)
	show := "ip -o -4 addr show eth0 | tr -s ' ' | cut -d' ' -f4"
	require.Equal(t, "10.77.9.9/16", inside(t, 5, root, show, "--ip", "10.77.9.9"))
	for _, address := range []string{"10.77.0.0", "10.77.0.1", "10.77.255.255", "10.78.0.2"} {
		r := runKit(t, untraced(5, root, "true", "--ip", address)...)
		require.Equal(t, 125, r.exit)
		require.Contains(t, r.err, "kit: netns: address "+address)
	}
	var group sync.WaitGroup
	got := make([]string, 20)
	barrier := filepath.Join(ktest.PublicDir(t), "go")
	command := func() *exec.Cmd {
		return exec.Command("kit", untraced(5, root,
			show+"; until [ -e /barrier/go ]; do sleep 0.05; done",
			"--volume", filepath.Dir(barrier)+":/barrier")...)
	}
	for i := range got {
		cmd := command()
		var out strings.Builder
		cmd.Stdout = &out
		require.NoError(t, cmd.Start()) // from this thread: in this namespace
		group.Go(func() {
			if cmd.Wait() == nil {
				got[i] = out.String()
			}
		})
	}
	eventually(t, func() bool {
		return strings.Count(host(t, "ip -o link show type veth"), "\n") == len(got)
	}, "as many cables")
	host(t, "touch "+barrier)
	group.Wait()
	seen := map[string]bool{}
	for _, address := range got {
		require.NotEmpty(t, address)
		require.False(t, seen[address], address)
		seen[address] = true
	}
}

// TestKilledKitLeavesANetworkThatCanBeUsed: kill -9, then a new container, which
// cleans up as the last one does.
func TestKilledKitLeavesANetworkThatCanBeUsed(t *testing.T) {
	ktest.RequireTool(t, "nft")
	root := ktest.HostRootfs(t)
	ownHost(t)
	p := box(t, root, "victim", "-p", "8080:80")
	require.NoError(t, p.Process.Kill())
	_ = p.Wait()
	eventually(t, func() bool {
		r := runKit(t, untraced(5, root, "ip -o -4 addr show eth0", "--name", "victim",
			"-p", "8080:80")...)
		return r.exit == 0 && strings.Contains(r.out, "10.77.0.2/16")
	}, "the same name, address and port")

	// As if it had been killed while it took away what it had written down.
	p = box(t, root, "ghost", "-p", "8080:80", "--ip", "10.77.0.9")
	host(t, "cp $KIT_STATE/index $KIT_STATE/kept")
	p.end(t)
	host(t, "mv $KIT_STATE/kept $KIT_STATE/index")
	require.Equal(t, "free", inside(t, 5, root, "echo free", "-p", "8080:80", "--ip", "10.77.0.9"))
}

// TestBadNetworkFlags are refused before anything is done.
func TestBadNetworkFlags(t *testing.T) {
	for _, c := range []struct{ flags, err string }{
		{"--net=x", "--net x: not one of bridge, none, host, container:NAME"},
		{"--net=none -p 80:80", "--net none: --publish and --ip need a network of its own"},
		{"--net=host --ip 10.77.0.9", "--net host: --publish and --ip need a network of its own"},
		{"-p 80", "--publish 80: not of the form [IP:]HOST:CTR[/udp]"},
		{"-p 0:80", `--publish 0:80: port "0": not a number from 1 to 65535`},
		{"-p 80:70000", `--publish 80:70000: port "70000"`},
		{"-p x:80:80", "--publish x:80:80: x is not an IPv4 address"},
		{"-p 80:80/sctp", "--publish 80:80/sctp: sctp is neither tcp nor udp"},
		{"--ip 1.2.3", "--ip 1.2.3: not an IPv4 address"},
		{"--dns x", "--dns x: not an IP address"},
	} {
		r := runKit(t, append(append([]string{"step", "5"}, strings.Fields(c.flags)...), "true")...)
		require.Equal(t, 2, r.exit, c.flags)
		require.Contains(t, r.err, "kit: "+c.err)
	}
}
