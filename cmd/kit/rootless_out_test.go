//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// hostWithTun is run with the command to run as its arguments. It is a host of the
// test's own: a default route through one end of a cable, a server behind it, and
// a /dev/net/tun that everybody may use, as on most machines.
const hostWithTun = `set -e
mount -t tmpfs none /mnt
mknod /mnt/tun c 10 200
chmod 666 /mnt/tun
mount --bind /mnt/tun /dev/net/tun
ip link set lo up
ip link add out type veth peer name far
ip link set out up
ip link set far up
ip addr add 198.51.100.1/24 dev out
ip route add default via 198.51.100.2 dev out
ip addr add 203.0.113.1/32 dev lo
mkdir /mnt/www
echo from outside > /mnt/www/index.html
busybox httpd -f -p 203.0.113.1:8000 -h /mnt/www &
trap "kill $!" EXIT
"$@"
`

// TestWayOut reaches a server outside, through each program that can lead there;
// also from the second container when the first has ended.
func TestWayOut(t *testing.T) {
	ktest.Root(t) // makes the device node
	ktest.RequireTool(t, "ip", "busybox", "setpriv", "pasta", "slirp4netns")
	for _, program := range []string{"pasta", "slirp4netns"} {
		t.Run(program, func(t *testing.T) {
			u := someUser(t)
			out := u.onHostWithTun(t, program, `
				(sleep 1; echo) | $KIT --name one -- /bin/sh -c "$FETCH; read x" &
				until [ -e $KIT_STATE/one.json ]; do sleep 0.02; done
				$KIT --name two -- /bin/sh -c "$FETCH; sleep 2; $FETCH"
				wait
			`)
			require.Equal(t, strings.Repeat("from outside\n", 3), out)
		})
	}
}

// TestWayOutTraced: what keeps the way open outlives the observer.
func TestWayOutTraced(t *testing.T) {
	ktest.Root(t)
	ktest.RequireTool(t, "ip", "busybox", "setpriv", "slirp4netns")
	u := someUser(t)
	out := u.onHostWithTun(t, "slirp4netns", `
		(sleep 1; echo) | $KIT --trace=steps --trace-file $KIT_STATE/trace --name one \
			-- /bin/sh -c "read x" &
		until [ -e $KIT_STATE/one.json ]; do sleep 0.02; done
		$KIT --name two -- /bin/sh -c "sleep 2; $FETCH"
		wait
		grep -o "it may live on without kit" $KIT_STATE/trace
		rm $KIT_STATE/trace
	`)
	require.Equal(t, "from outside\nit may live on without kit\n", out)
}

// onHostWithTun runs a script as the user on such a host, on which no other way
// out is installed, and returns its output. KIT begins a command line.
func (u *user) onHostWithTun(t *testing.T, program, script string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	require.NoError(t, err)
	bin := ktest.PublicDir(t)
	require.NoError(t, os.Symlink(path, filepath.Join(bin, program)))
	for _, tool := range []string{"sh", "sleep", "rm", "grep"} {
		path, err := exec.LookPath(tool)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(bin, tool)))
	}
	cmd := exec.Command("sh", "-c", hostWithTun, "sh",
		"setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "env", "PATH="+bin,
		"KIT="+u.kit+" step 5 --trace=off --rootfs "+u.root,
		"FETCH=wget -qO- http://203.0.113.1:8000/",
		"sh", "-ec", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Unshareflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET,
	}
	r := finish(t, cmd)
	require.Zero(t, r.exit, r.err)
	require.Empty(t, r.err)
	return r.out
}

// TestOuterNetworkSubordinateIDs: what newuidmap has mapped for the first is there
// for the second, traced or not.
func TestOuterNetworkSubordinateIDs(t *testing.T) {
	ktest.Root(t) // gives a range away, in a mount namespace of the test's own
	ktest.RequireTool(t, "newuidmap", "setpriv")
	u := someUser(t)
	cmd := exec.Command("sh", "-c", `set -e
		mount -t tmpfs none /mnt
		echo 1000:700000:5000 > /mnt/ids
		for file in /etc/subuid /etc/subgid; do touch $file; mount --bind /mnt/ids $file; done
		"$@"
	`, "sh", "setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "sh", "-ec", `
		(sleep 1; echo) | $KIT --trace=off --name one -- /bin/sh -c "read x" &
		until [ -e $KIT_STATE/one.json ]; do sleep 0.02; done
		for trace in --trace=off --trace-file=$KIT_STATE/trace; do
			$KIT $trace -- /bin/sh -c "sed 's/  */ /g' /proc/self/uid_map; readlink /proc/self/ns/user"
		done
		wait
		rm $KIT_STATE/trace
	`)
	cmd.Env = append(os.Environ(), "KIT="+u.kit+" step 5 --rootfs "+u.root)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	r := finish(t, cmd)
	require.Zero(t, r.exit, r.err)
	lines := strings.Split(strings.TrimSuffix(r.out, "\n"), "\n")
	require.Len(t, lines, 6, r.out)
	require.Equal(t, []string{" 0 1000 1", " 1 700000 5000"}, lines[:2])
	require.Equal(t, lines[:3], lines[3:])
}
