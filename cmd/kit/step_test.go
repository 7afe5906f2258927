//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// TestFirstPromise is the sentence that the README begins with: PID 1, a name,
// and nobody else there.
func TestFirstPromise(t *testing.T) {
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	out := inside(t, 2, root, "echo $$; hostname; ps -eo pid,comm", "--name", "first")
	lines := strings.Split(out, "\n")
	require.Equal(t, []string{"1", "first"}, lines[:2])
	require.Len(t, lines, 5, "the headline of ps, sh and ps: %s", out)
	require.Equal(t, []string{"1", "sh"}, strings.Fields(lines[3]))
	require.Equal(t, "ps", strings.Fields(lines[4])[1])
}

// TestChrootKeepsTheHost shows what step 1 leaves as it is.
func TestChrootKeepsTheHost(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	host, err := os.Hostname()
	require.NoError(t, err)
	require.Equal(t, host, inside(t, 1, root, "hostname", "--name", "first"))

	kit := start(t, untraced(1, root, `echo ready $$; exec cat`)...)
	pid, err := strconv.Atoi(strings.TrimSpace(kit.expect(t, "\n")))
	require.NoError(t, err)
	require.Contains(t, []string{"sh", "cat"}, command(pid), "its PID is the host's")
}

func TestEnvironment(t *testing.T) {
	root := ktest.Rootfs(t)
	t.Setenv("SECRET", "of the host")
	t.Setenv("PASSED", "on")
	t.Setenv("TERM", "vt100")
	want := []string{
		"HOME=/root", "HOSTNAME=envy", "NEW=1=2", "PASSED=on",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=vt100",
	}
	variants(t, func(t *testing.T, step int, flags ...string) {
		flags = append(flags, "--name", "envy", "-e", "NEW=1=2", "--env", "PASSED", "-e", "NOT_SET_HERE")
		args := append([]string{"step", strconv.Itoa(step), "--trace=off", "--rootfs", root}, flags...)
		// Not through a shell, which adds variables of its own.
		r := runKit(t, append(args, "--", "env")...)
		require.Zero(t, r.exit, r.err)
		require.ElementsMatch(t, want, strings.Split(strings.TrimSpace(r.out), "\n"))
	})
}

// TestNothingLeaksThroughPID1 looks at what kit was started with where it stays
// as PID 1: its environment, its arguments and its open files.
func TestNothingLeaksThroughPID1(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	t.Setenv("SECRET", "of the host")
	host, err := os.Open("/")
	require.NoError(t, err)
	defer host.Close()
	for _, flags := range [][]string{nil, {"--init"}} {
		script := `cd /proc/1; tr '\0' '\n' <environ; echo "at $(tr '\0' ' ' <cmdline)"; ls -l fd`
		cmd := exec.Command("kit", untraced(2, root, script, flags...)...)
		cmd.ExtraFiles = []*os.File{host, host, host}
		r := finish(t, cmd)
		require.Zero(t, r.exit)
		require.NotContains(t, r.out, "SECRET")
		require.NotContains(t, r.out, root)
		require.NotContains(t, r.out, "socket:")
		files := strings.ReplaceAll(r.out, "10 -> /dev/null", "") // the shell's own
		require.NotRegexp(t, `[3-9] -> [^a]`, files, "nothing but anon_inode")
	}
}

// TestThreeDescriptors starts kit with a directory of the host open, as a
// careless caller does (CVE-2024-21626).
func TestThreeDescriptors(t *testing.T) {
	root := ktest.HostRootfs(t)
	host, err := os.Open("/")
	require.NoError(t, err)
	defer host.Close()
	variants(t, func(t *testing.T, step int, flags ...string) {
		script := "for fd in 0 1 2 3 4 5 6 7 8 9 10; do (: <&$fd) 2>/dev/null && echo $fd; done; true"
		cmd := exec.Command("kit", untraced(step, root, script, flags...)...)
		for range 7 {
			cmd.ExtraFiles = append(cmd.ExtraFiles, host) // 3 to 9
		}
		r := finish(t, cmd)
		require.Equal(t, result{out: "0\n1\n2\n"}, r)
	})
}

// TestOnlyTheRootIsSeen looks for a file of the host.
func TestOnlyTheRootIsSeen(t *testing.T) {
	root := ktest.Rootfs(t)
	file := filepath.Join(ktest.PublicDir(t), "host")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	variants(t, func(t *testing.T, step int, flags ...string) {
		out := inside(t, step, root, "test -e "+file+" || pwd", flags...)
		require.Equal(t, "/", out)
	})
}

// TestSkeleton looks at what step 2 mounts.
func TestSkeleton(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	out := inside(t, 2, root, `
for n in null zero full random urandom tty; do test -c /dev/$n || echo no $n; done
for d in /proc /sys /dev /dev/pts /dev/shm /dev/mqueue; do
	grep -q " $d " /proc/mounts || echo $d not mounted
done
echo hello | cat /dev/stdin
{ echo x >/dev/full; } 2>/dev/null || echo full
echo x >/dev/null
head -c 3 /dev/urandom | wc -c
ls /dev/pts
touch /dev/shm/a && rm /dev/shm/a
mkdir /sys/x 2>/dev/null && echo /sys is writable
cat /proc/sys/kernel/hostname`, "--hostname", "box", "--init")
	require.Equal(t, "hello\nfull\n3\nptmx\nbox", out)
}

// TestHostRoot: / cannot be exchanged for itself, and can be the lower layer of step 4.
func TestHostRoot(t *testing.T) {
	ktest.Clean(t)
	r := runKit(t, untraced(2, "/", "true")...)
	require.Equal(t, 125, r.exit)
	require.Regexp(t,
		"^kit: namespaces: pivot_root /: .*\nhint: / cannot be exchanged for itself: ", r.err)
}
