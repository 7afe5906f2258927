//go:build linux

package main

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// outside makes a network behind the test's host: 192.0.2.2, which knows the way to
// the host, 192.0.2.1, and not to any container. It returns its namespace's file.
func outside(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("unshare", "--net", "sh", "-c", "ip link set lo up; echo; exec sleep 100")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	_, err = stdout.Read(make([]byte, 1))
	require.NoError(t, err)
	file := fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid)
	host(t, fmt.Sprintf(`ip link add out type veth peer name in netns %d
		ip addr add 192.0.2.1/24 dev out; ip link set out up
		nsenter --net=%s sh -c 'ip addr add 192.0.2.2/24 dev in; ip link set in up'`,
		cmd.Process.Pid, file))
	return file
}

// listenIn opens a TCP port in another network namespace: the socket stays there.
func listenIn(t *testing.T, namespace, address string) net.Listener {
	t.Helper()
	open := func(path string) int {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		require.NoError(t, err)
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	here, there := open("/proc/thread-self/ns/net"), open(namespace)
	require.NoError(t, unix.Setns(there, unix.CLONE_NEWNET))
	l, err := net.Listen("tcp4", address)
	require.NoError(t, unix.Setns(here, unix.CLONE_NEWNET))
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// TestTheWayOut: behind the host is another network, which sees only the host.
func TestTheWayOut(t *testing.T) {
	ktest.RequireTool(t, "nft", "ip", "curl", "ping")
	root := ktest.HostRootfs(t)
	ownHost(t)
	away := outside(t)
	host(t, "echo 0 >/proc/sys/net/ipv4/ip_forward")
	require.Contains(t, inside(t, 5, root, "ping -c 1 -W 3 192.0.2.2"), "1 received")
	require.Equal(t, "0\n", host(t, "cat /proc/sys/net/ipv4/ip_forward"), "as it was before")

	server := listenIn(t, away, ":80")
	client := make(chan string, 1)
	go func() {
		conn, err := server.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		client <- conn.RemoteAddr().String()
		_, _ = conn.Write([]byte("HTTP/1.0 204 No Content\r\n\r\n"))
	}()
	inside(t, 5, root, "curl -s -m 5 192.0.2.2")
	require.Regexp(t, "^192.0.2.1:", <-client)

	host(t, "echo 1 >/proc/sys/net/ipv4/ip_forward")
	inside(t, 5, root, "true")
	require.Equal(t, "1\n", host(t, "cat /proc/sys/net/ipv4/ip_forward"), "as it was before")
}

// TestPublishedPortFromEverywhere: from the network behind the host, from another
// container, and from the container itself.
func TestPublishedPortFromEverywhere(t *testing.T) {
	ktest.RequireTool(t, "nft", "ip", "curl")
	root := ktest.HostRootfs(t)
	ownHost(t)
	away := outside(t)
	start(t, untraced(5, root, "kit lab serve --addr :80 & echo ready; cat",
		"--name", "one", "-p", "8080:80", "-p", "127.0.0.1:8081:80")...)
	answers := func(command string) bool {
		out, err := exec.Command("sh", "-c", command).Output()
		return err == nil && strings.HasPrefix(string(out), "one\n10.77.0.2:80\n")
	}
	fromAway := "nsenter --net=" + away + " curl -s -m 2 192.0.2.1:"
	eventually(t, func() bool { return answers(fromAway + "8080") }, "from outside")
	require.False(t, answers(fromAway+"8081"), "published to the host only")
	host(t, "nsenter --net="+away+" ip route add 10.77.0.0/16 via 192.0.2.1")
	require.False(t, answers("nsenter --net="+away+" curl -s -m 1 10.77.0.2:80"), "not published")
	require.True(t, answers("curl -s -m 2 127.0.0.1:8081"), "published to the host")
	require.True(t, answers("curl -s -m 2 192.0.2.1:8080"), "by any of the host's addresses")
	for _, flags := range [][]string{nil, {"--net=container:one"}} {
		text := inside(t, 5, root, "curl -s -m 3 10.77.0.1:8080", flags...)
		require.Contains(t, text, "one\n10.77.0.2:80\n", "%v", flags)
	}
}

// TestHostsOwnAddressStaysItsOwn: route_localnet, which lets the host reach a
// published port at 127.0.0.1, lets no container reach the host's 127.0.0.1.
func TestHostsOwnAddressStaysItsOwn(t *testing.T) {
	ktest.RequireTool(t, "nft", "ip", "curl")
	root := ktest.HostRootfs(t)
	ownHost(t)
	box(t, root, "one", "-p", "8080:80")
	server, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("HTTP/1.0 200 OK\r\n\r\nsecret"))
			conn.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(server.Addr().String())
	attack := "echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet; ip addr del 127.0.0.1/8 dev lo; " +
		"ip route add 127.0.0.1 via 10.77.0.1; curl -s -m 1 --interface 10.77.0.3 127.0.0.1:" + port +
		" || true"
	require.Empty(t, inside(t, 5, root, attack))
	host(t, "nft flush chain ip kit guard")
	require.Equal(t, "secret", inside(t, 5, root, attack), "the rule is what keeps it")
}

// TestTakenPort: refused before anything is done, and free again when its container
// has gone.
func TestTakenPort(t *testing.T) {
	ktest.RequireTool(t, "nft")
	root := ktest.HostRootfs(t)
	ownHost(t)
	one := box(t, root, "one", "-p", "8080:80")
	box(t, root, "two", "-p", "8080:80/udp", "-p", "127.0.0.1:8081:80")
	before := host(t, "nft list ruleset; ip -o link")
	port := func(p ...string) []string {
		var flags []string
		for _, p := range p {
			flags = append(flags, "-p", p)
		}
		return untraced(5, root, "true", flags...)
	}
	refused(t, 125, "netns: publish 8080/tcp, which is one's: address already", port("8080:81")...)
	refused(t, 125, "publish 127.0.0.1:8080/udp, which is two's", port("127.0.0.1:8080:80/udp")...)
	refused(t, 125, "publish 127.0.0.1:90/tcp twice", port("90:80", "127.0.0.1:90:81")...)
	refused(t, 125, "netns: publish 198.51.100.1:90/tcp: bind: cannot assign requested address",
		port("198.51.100.1:90:80")...)
	for network, name := range map[string]string{"tcp4": "tcp", "udp4": "udp"} {
		var taken string
		if network == "tcp4" {
			l, err := net.Listen(network, "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			taken = l.Addr().String()
		} else {
			l, err := net.ListenPacket(network, "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			taken = l.LocalAddr().String()
		}
		_, number, _ := net.SplitHostPort(taken)
		refused(t, 125, "publish "+number+"/"+name+": bind: address already",
			port(number+":80/"+name)...)
	}
	refused(t, 125, "address 10.77.0.2: address already in use",
		untraced(5, root, "true", "--ip", "10.77.0.2")...)
	require.Equal(t, before, host(t, "nft list ruleset; ip -o link"))
	inside(t, 5, root, "true", "-p", "127.0.0.2:8081:80")

	one.end(t)
	rules := host(t, "nft list ruleset")
	require.NotContains(t, rules, `"one"`, "its rules")
	require.Contains(t, rules, `udp dport 8080 dnat to 10.77.0.3:80 comment "two"`, "another's")
	inside(t, 5, root, "true", "-p", "8080:80")
}

// TestCleanAfterAKilledKit removes what it has left of one container, and, after the
// last one, all.
func TestCleanAfterAKilledKit(t *testing.T) {
	ktest.RequireTool(t, "nft")
	root := ktest.HostRootfs(t)
	ownHost(t)
	host(t, "echo 0 >/proc/sys/net/ipv4/ip_forward")
	kill := func(p *running) {
		require.NoError(t, p.Process.Kill())
		require.Equal(t, 137, p.exit(t))
		eventually(t, func() bool {
			r := runKit(t, "clean")
			require.Zero(t, r.exit, r.err)
			return !strings.Contains(runKit(t, "ps").out, "victim")
		}, "kit clean")
	}
	one := box(t, root, "one", "-p", "8080:80")
	kill(box(t, root, "victim", "-p", "8081:80"))
	require.NotContains(t, host(t, "ip link"), "victim", "its cable")
	text := host(t, "nft list ruleset; ip -o link")
	require.NotContains(t, text, "victim")
	require.Contains(t, text, `comment "one"`)
	require.Contains(t, text, "kit-one")
	require.NotContains(t, host(t, "cat $KIT_STATE/one.net/hosts"), "victim")
	last := box(t, root, "victim")
	one.end(t)
	kill(last)
	require.Equal(t, "0\n", host(t, "cat /proc/sys/net/ipv4/ip_forward"), "as it was before")
	require.Empty(t, host(t, "nft list ruleset; ip -o link | grep kit || true"))
}

// TestHostsFirewall that drops what it passes on is left as it is, and told of.
func TestHostsFirewall(t *testing.T) {
	ktest.RequireTool(t, "nft")
	root := ktest.HostRootfs(t)
	ownHost(t)
	for _, table := range []string{"ip filter", "inet wall"} {
		host(t, fmt.Sprintf(`nft add table %[1]s
			nft 'add chain %[1]s FORWARD { type filter hook forward priority 0; policy drop; }'`, table))
		r := runKit(t, untraced(5, root, "true")...)
		require.Zero(t, r.exit, r.err)
		require.Contains(t, r.err, "kit: the host's firewall drops what it passes on "+
			"(nft list chain "+table+" FORWARD)")
		host(t, fmt.Sprintf("nft insert rule %s FORWARD iifname kit0 accept", table))
		inside(t, 5, root, "true") // not a word any more
		host(t, "nft delete table "+table)
	}
}

// TestNameServers are the user's, or the host's, in a file of the container's own.
func TestNameServers(t *testing.T) {
	ktest.RequireTool(t, "nft")
	root := ktest.HostRootfs(t)
	ownHost(t)
	text := inside(t, 5, root, "grep ^nameserver /etc/resolv.conf; echo x >>/etc/resolv.conf",
		"--dns", "192.0.2.53", "--dns", "2001:db8::53")
	require.Equal(t, "nameserver 192.0.2.53\nnameserver 2001:db8::53", text)
}
