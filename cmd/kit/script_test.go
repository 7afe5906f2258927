//go:build linux

package main

import (
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/script"
	"github.com/containerkit/kit/steps"
)

// runScriptOf has kit write a script, which a shell then runs with a command. The
// environment is that of ktest.Clean, and all that was made must go with the script.
func runScriptOf(t testing.TB, flags []string, command ...string) result {
	t.Helper()
	written := runKit(t, append([]string{"script"}, flags...)...)
	require.Zero(t, written.exit, written.err)
	require.Empty(t, written.err)
	file := filepath.Join(t.TempDir(), "s.sh")
	require.NoError(t, os.WriteFile(file, []byte(written.out), 0o644))
	return finish(t, exec.Command("sh", append([]string{file}, command...)...))
}

// scripted runs a shell script in the container that a script of a step makes.
func scripted(t testing.TB, step int, root, line string, flags ...string) string {
	t.Helper()
	flags = append([]string{strconv.Itoa(step), "--rootfs", root}, flags...)
	r := runScriptOf(t, flags, "/bin/sh", "-c", line)
	require.Zero(t, r.exit, r.err)
	require.Empty(t, r.err)
	return strings.TrimSuffix(r.out, "\n")
}

// TestScriptOfEveryStep: what all steps have in common.
func TestScriptOfEveryStep(t *testing.T) {
	ktest.Root(t)
	ktest.RequireTool(t, "unshare", "nsenter", "ip", "nft", "setpriv")
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	links := hostNetwork(t)
	t.Setenv("SECRET", "of the host")
	t.Setenv("TERM", "vt100")
	for n := 1; n <= len(steps.All); n++ {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			out := scripted(t, n, root, "env | grep -v ^PWD= | sort; pwd; ls /bin/kit; id -u",
				"--name", "shown", "-e", "A=b 'c'")
			require.Equal(t, "A=b 'c'\nHOME=/root\nHOSTNAME=shown\n"+
				"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nTERM=vt100\n"+
				"/\n/bin/kit\n0", out)
			out = scripted(t, n, root, "id -u; id -g; pwd", "--user", "7:8", "--workdir", "/tmp")
			require.Equal(t, "7\n8\n/tmp", out)

			step := []string{strconv.Itoa(n), "--rootfs", root}
			require.Equal(t, 7, runScriptOf(t, step, "sh", "-c", "exit 7").exit)
			require.Equal(t, 127, runScriptOf(t, step, "no-such-command").exit)
			// The command that kit script was given, unless the script gets another.
			r := runScriptOf(t, append(step, "--", "echo", "a  b", "$HOME"))
			require.Equal(t, result{out: "a  b $HOME\n"}, r)
			require.Equal(t, links, hostNetwork(t), "left behind")
		})
	}
}

// hostNetwork is what a script changes of the host's network.
func hostNetwork(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", `ip -br link | awk '{print $1}' | grep -v ^kit
nft list tables | grep -v kit; cat /proc/sys/net/ipv4/ip_forward`).Output()
	require.NoError(t, err)
	return string(out)
}

func TestScriptOfStep2(t *testing.T) {
	ktest.Root(t)
	root := ktest.Rootfs(t)
	shared := ktest.PublicDir(t)
	ktest.Clean(t)
	out := scripted(t, 2, root, `echo $$; hostname; echo /proc/[0-9]*
for n in null zero full random urandom tty; do test -c /dev/$n || echo no $n; done
for d in /proc /sys /dev /dev/pts /dev/shm /dev/mqueue; do
	grep -q " $d " /proc/mounts || echo $d not mounted
done
echo x >/v/file; echo x 2>/dev/null >/r/file || echo read-only
grep -c . /proc/mounts`, "--hostname", "box", "-v", shared+":/v", "-v", shared+":/r:ro")
	require.Equal(t, "1\nbox\n/proc/1\nread-only\n9", out, "9: /, two volumes and the six")
	require.FileExists(t, filepath.Join(shared, "file"))
	out = scripted(t, 2, root, "cut -d. -f1 /proc/uptime", "--time-offset", "876000h")
	uptime, err := strconv.Atoi(out)
	require.NoError(t, err)
	require.Greater(t, uptime, 876000*3600)
}

// TestScriptOfStep3 sets limits, which act.
func TestScriptOfStep3(t *testing.T) {
	ktest.Root(t)
	hierarchy(t, "memory")
	hierarchy(t, "pids")
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	flags := []string{
		"3", "--rootfs", root, "--memory", "64m", "--pids-limit", "20", "--cpus", "0.2",
	}
	r := runScriptOf(t, flags, "kit", "lab", "eat", "200m", "--exit")
	require.Equal(t, 137, r.exit, "the OOM killer: %s", r.out)
	r = runScriptOf(t, flags, "kit", "lab", "eat", "20m", "--exit")
	require.Zero(t, r.exit, r.err)
	r = runScriptOf(t, flags, "kit", "lab", "fork", "60", "--exit")
	require.Regexp(t, `^forked 1[0-9] of 60 processes: fork: EAGAIN .* [12][0-9] tasks\n$`, r.out)
	r = runScriptOf(t, flags, "kit", "lab", "burn", "--report", "2", "--for", "2")
	number, _, _ := strings.Cut(r.out, " ")
	cpus, err := strconv.ParseFloat(number, 64)
	require.NoError(t, err, r.err)
	require.InDelta(t, 0.2, cpus, 0.06)
}

// TestScriptOfStep4 leaves the root file system as it is.
func TestScriptOfStep4(t *testing.T) {
	ktest.Root(t)
	root := ktest.Rootfs(t)
	layer, upper := ktest.PublicDir(t), filepath.Join(ktest.PublicDir(t), "upper")
	require.NoError(t, os.WriteFile(filepath.Join(layer, "in-layer"), []byte("layer\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/doomed"), nil, 0o644))
	ktest.Clean(t)
	out := scripted(t, 4, root, "cat /in-layer; echo new >/new; rm /etc/doomed; cat /new",
		"--layer", layer, "--upper", upper)
	require.Equal(t, "layer\nnew", out)
	require.NoFileExists(t, filepath.Join(root, "new"))
	require.FileExists(t, filepath.Join(upper, "new"))
	out = scripted(t, 4, root, "cat /new; ls /etc/doomed 2>/dev/null; ls /in-layer 2>/dev/null; true",
		"--upper", upper)
	require.Equal(t, "new", out)
	require.Equal(t, "gone", scripted(t, 4, root, "[ -e /new ] || echo gone; [ -e /etc/doomed ]"))
	left, err := filepath.Glob(filepath.Dir(upper) + "/*")
	require.NoError(t, err)
	require.Equal(t, []string{upper}, left)
}

// TestScriptThatFails leaves nothing behind: ktest.Clean and hostNetwork look.
func TestScriptThatFails(t *testing.T) {
	ktest.Root(t)
	ktest.RequireTool(t, "ip", "nft")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	before := hostNetwork(t)
	bin := t.TempDir()
	fail := filepath.Join(bin, "nft")
	require.NoError(t, os.WriteFile(fail, []byte("#!/bin/sh\nexit 3\n"), 0o755))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	r := runScriptOf(t, []string{"5", "--rootfs", root}, "true")
	require.Equal(t, 3, r.exit, r.err)
	require.Equal(t, before, hostNetwork(t))

	require.NoError(t, os.RemoveAll(filepath.Join(root, "bin/umount")))
	r = runScriptOf(t, []string{"4", "--rootfs", root}, "true")
	require.NotZero(t, r.exit)
	require.Contains(t, r.err, "umount")
}

// TestScriptOfStep5 and 6: a cable to the host, and root in pieces.
func TestScriptOfStep5(t *testing.T) {
	ktest.Root(t)
	ktest.RequireTool(t, "ip", "nft", "setpriv")
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	out := scripted(t, 5, root, `ip -br link | awk '{ sub("@.*", "", $1); print $1, $2 }'
ip route | cut -d' ' -f1-2
ping -c1 -W5 "$(ip route | awk '/default/ { print $3 }')" | grep -c ' 0% packet loss'`)
	require.Equal(t, "lo UNKNOWN\neth0 UP\ndefault via\n10.78.0.0/24 dev\n1", out)
}

func TestScriptOfStep6(t *testing.T) {
	ktest.Root(t)
	ktest.RequireTool(t, "ip", "nft", "setpriv")
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	look := `grep -E '^(Cap|NoNewPrivs)' /proc/self/status
echo x 2>/dev/null >/proc/sys/kernel/domainname || echo /proc/sys is read-only
mount -t tmpfs none /mnt 2>/dev/null || echo no mount
wc -c </proc/timer_list; cat /proc/self/oom_score_adj; ulimit -n`
	flags := []string{"--oom-score-adj", "77", "--ulimit", "nofile=64:64"}
	got := scripted(t, 6, root, look, flags...)
	require.Contains(t, got, "/proc/sys is read-only\nno mount\n0\n77\n64")
	require.Equal(t, inside(t, 6, root, look, flags...), got, "as kit step 6 has it")
}

// TestScriptPublishes a port, to the host itself by its own address and by 127.0.0.1.
func TestScriptPublishes(t *testing.T) {
	ktest.Root(t)
	ktest.RequireTool(t, "ip", "nft")
	root := ktest.HostRootfs(t)
	ktest.Clean(t)
	before := hostNetwork(t)
	c := &container.Container{
		Steps: 5, Name: "kit-pub", Named: true, Hostname: "pub", Root: root, Args: []string{"true"},
		Net: container.Net{
			Kind: container.NetBridge, IP: netip.MustParseAddr("10.78.9.7"),
			Publish: []container.Port{{HostPort: 18473, Port: 80, Protocol: "tcp"}},
		},
	}
	var text strings.Builder
	require.NoError(t, script.Shell(&text, c, []string{"kit", "script", "5"}))
	file := filepath.Join(t.TempDir(), "s.sh")
	require.NoError(t, os.WriteFile(file, []byte(text.String()), 0o644))
	cmd := exec.Command("sh", file, "kit", "lab", "serve", "--addr", ":80")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	newLineReader(out).expect(t, "listening on")
	for _, host := range []string{"127.0.0.1:18473", "10.78.9.1:18473", "10.78.9.7:80"} {
		client := http.Client{Timeout: 5 * time.Second}
		resp, err := client.Get("http://" + host)
		if assert.NoError(t, err, host) {
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			assert.NoError(t, err)
			assert.Equal(t, "pub\n10.78.9.7:80\n1\n", string(body), host)
		}
		client.CloseIdleConnections()
	}
	pids := payload(t, cmd.Process.Pid, "kit")
	require.NoError(t, unix.Kill(pids[0], unix.SIGTERM))
	_ = cmd.Wait()
	require.Equal(t, 143, exitStatus(cmd.ProcessState))
	require.Equal(t, before, hostNetwork(t))
}
