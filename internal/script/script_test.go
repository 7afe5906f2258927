package script

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/steps"
)

var (
	unified = []procfs.CgroupMount{{Dir: "/sys/fs/cgroup", Root: "/", V2: true}}
	hybrid  = []procfs.CgroupMount{
		{Dir: "/sys/fs/cgroup/memory", Root: "/", Controllers: []string{"memory"}},
		{Dir: "/sys/fs/cgroup/cpu,cpuacct", Root: "/", Controllers: []string{"cpu", "cpuacct"}},
		{Dir: "/sys/fs/cgroup/cpuset", Root: "/", Controllers: []string{"cpuset"}},
		{Dir: "/sys/fs/cgroup/devices", Root: "/", Controllers: []string{"devices"}},
		{Dir: "/sys/fs/cgroup/unified", Root: "/", V2: true},
	}
)

// full is a container with all there is.
func full(steps int) *container.Container {
	score := -5
	return &container.Container{
		Steps: steps, Name: "it's", Named: true, Hostname: "box", Root: "/r o'ot", User: "1000:1000",
		Args: []string{"/bin/sh", "-c", "echo $$; 'x'"}, Env: []string{"A=b c", "TERM=x", "PS1=x"},
		Workdir: "/tmp", Init: true, Time: time.Hour, IPC: container.Sharing{Pid: 7},
		Volumes: []container.Volume{{Source: "/s", Target: "/mnt/x", ReadOnly: true}},
		Limits: container.Limits{
			Memory: 64 << 20, MemoryLow: 32 << 20, CPUs: 0.2, CPUWeight: 512, CPUSet: "0", Pids: 20,
			IO: []container.IOLimit{{Path: "/dev/vda", Major: 254, ReadBps: 1 << 20, WriteBps: 2 << 20}},
		},
		Devices: []container.Device{{
			Source: "/dev/fuse", Target: "/dev/fuse", Mode: unix.S_IFCHR | 0o660, Major: 10, Minor: 229,
			Access: "rwm",
		}},
		Layers: container.Layers{Lower: []string{"/a", "/b"}, Upper: "/u"},
		Net: container.Net{
			Kind: container.NetBridge, IP: netip.MustParseAddr("10.9.8.7"),
			DNS: []netip.Addr{netip.MustParseAddr("9.9.9.9")},
			Publish: []container.Port{
				{HostPort: 8080, Port: 80, Protocol: "tcp"},
				{HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: 53, Port: 5353, Protocol: "udp"},
			},
		},
		Security: container.Security{
			Capabilities: 1<<unix.CAP_CHOWN | 1<<unix.CAP_NET_ADMIN, NoNewPrivs: true, OOMScore: &score,
			Ulimits: []container.Ulimit{{Name: "nofile", Soft: 64, Hard: ^uint64(0)}},
		},
	}
}

// text is the whole script, after a shell has parsed it, both parts.
func text(t *testing.T, c *container.Container, trees []procfs.CgroupMount) string {
	t.Helper()
	s := write(c, trees)
	require.Empty(t, s.missing, "the steps' source gives these reasons no more")
	all := s.head([]string{"kit", "script", "\nrm -rf /"}) + s.host.String()
	for _, part := range []string{all, s.inside.String()} {
		cmd := exec.Command("sh", "-n")
		cmd.Stdin = strings.NewReader(part)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", out, part)
	}
	return all
}

// TestEveryStep: a shell can parse the script of every step, and the reasons are there.
func TestEveryStep(t *testing.T) {
	for n := range steps.All {
		for _, trees := range [][]procfs.CgroupMount{unified, hybrid, nil} {
			all := text(t, full(n+1), trees)
			for line := range strings.Lines(all) {
				if strings.HasPrefix(line, "# ") {
					require.LessOrEqual(t, len(line), 81, line)
				}
			}
			require.NotContains(t, all, "\nrm -rf /")
			require.NotContains(t, all, "PS1=")
		}
	}
}

// TestLimits are the same in the words of v2 and of v1.
func TestLimits(t *testing.T) {
	v2 := text(t, full(3), unified)
	for _, line := range []string{
		`echo '+memory +cpu +cpuset +pids +io' >/sys/fs/cgroup/cgroup.subtree_control`,
		`echo 67108864 >"$CGROUP"/memory.max`, `echo 0 >"$CGROUP"/memory.swap.max`,
		`echo 33554432 >"$CGROUP"/memory.low`, `echo '20000 100000' >"$CGROUP"/cpu.max`,
		`echo 512 >"$CGROUP"/cpu.weight`, `echo 0 >"$CGROUP"/cpuset.cpus`,
		`echo 20 >"$CGROUP"/pids.max`, `echo '254:0 rbps=1048576 wbps=2097152' >"$CGROUP"/io.max`,
		`mount -t cgroup2 -o ro,nosuid,nodev,noexec cgroup2 /sys/fs/cgroup`,
	} {
		require.Contains(t, v2, line+"\n")
	}
	v1 := text(t, full(3), hybrid)
	for _, line := range []string{
		`echo 67108864 >"$CGROUP_MEMORY"/memory.limit_in_bytes`,
		`echo 67108864 >"$CGROUP_MEMORY"/memory.memsw.limit_in_bytes`,
		`echo 33554432 >"$CGROUP_MEMORY"/memory.soft_limit_in_bytes`,
		`echo 20000 >"$CGROUP_CPU_CPUACCT"/cpu.cfs_quota_us`,
		`echo 5243 >"$CGROUP_CPU_CPUACCT"/cpu.shares`,
		`cat /sys/fs/cgroup/cpuset/cpuset.mems >"$CGROUP_CPUSET"/cpuset.mems`,
		`echo 'c 10:229 rwm' >"$CGROUP_DEVICES"/devices.allow`,
		`echo '+pids +io' >/sys/fs/cgroup/unified/cgroup.subtree_control`,
	} {
		require.Contains(t, v1, line+"\n")
	}
}

func TestMaskedAsInStepSix(t *testing.T) {
	source, err := steps.Source.ReadFile("06-caps-seccomp/hide.go")
	require.NoError(t, err)
	for _, path := range append(masked(), readOnly()...) {
		require.Contains(t, string(source), `"`+path+`"`)
	}
}

func TestRefused(t *testing.T) {
	for _, test := range []struct {
		want   string
		change func(c *container.Container)
	}{
		{"--userns remap: ", func(c *container.Container) { c.UserNS = container.UserNSRemap }},
		{"--tty: ", func(c *container.Container) { c.TTY = true }},
		{"--volume /dev/x: ", func(c *container.Container) { c.Volumes[0].Target = "/dev/x" }},
		{"directory /a:b: mount(8) ", func(c *container.Container) { c.Layers.Lower[0] = "/a:b" }},
	} {
		c := full(6)
		test.change(c)
		var out strings.Builder
		require.ErrorContains(t, Shell(&out, c, nil), test.want)
		require.Empty(t, out.String())
	}
}

func TestDocker(t *testing.T) {
	var out strings.Builder
	require.NoError(t, Docker(&out, full(6), []string{"kit", "script", "6"}))
	for _, words := range []string{
		`docker run --rm -i \`, `'--name=it'\''s' \`, "--hostname=box \\", "'--env=A=b c' \\",
		"--workdir=/tmp \\", "--user=1000:1000 \\", "--init \\", "--volume=/s:/mnt/x:ro \\",
		"--memory=64m \\", "--memory-swap=64m \\", "--memory-reservation=32m \\", "--cpus=0.2 \\",
		"--cpu-shares=5243 \\", "--cpuset-cpus=0 \\", "--pids-limit=20 \\",
		"--device-read-bps=/dev/vda:1048576 \\", "--device-write-bps=/dev/vda:2097152 \\",
		"--device=/dev/fuse:/dev/fuse:rwm \\", "--publish=8080:80/tcp \\",
		"--publish=127.0.0.1:53:5353/udp \\", "--ip=10.9.8.7 \\", "--dns=9.9.9.9 \\",
		"--cap-drop=ALL \\", "--cap-add=CHOWN \\", "--cap-add=NET_ADMIN \\",
		"--security-opt=no-new-privileges \\", "--oom-score-adj=-5 \\", "--ulimit=nofile=64:-1 \\",
		`kit-rootfs /bin/sh -c 'echo $$; '\''x'\'''`,
	} {
		require.Contains(t, out.String(), words+"\n")
	}
	out.Reset()
	require.NoError(t, Docker(&out, &container.Container{
		Steps: 1, Root: "/r", Args: []string{"ls"}, Name: "kit-1", Hostname: "kit-1",
	}, []string{"kit", "script", "1"}))
	require.Equal(t, `#!/bin/sh
# Made by: kit script 1
set -eu

# docker wants an image: this root file system, as one layer.
tar -C /r -c . | docker import - kit-rootfs

# docker always has an overlay (step 4): the root file system itself is not changed.
# docker has no way without a mount namespace; the others can be left out.
# All powers of root, until step 6.
docker run --rm -i \
	--pid=host \
	--ipc=host \
	--uts=host \
	--cgroupns=host \
	--network=host \
	--cap-add=ALL \
	--security-opt=seccomp=unconfined \
	--security-opt=apparmor=unconfined \
	--security-opt=systempaths=unconfined \
	kit-rootfs ls
`, out.String())
}

func TestQuote(t *testing.T) {
	for _, words := range [][]string{
		{"a"}, {""}, {"a b", "c"}, {"it's", "$x", "`y`", `"z"`, `\`}, {"a\nb", "*", "~", "#", "ü"},
	} {
		out, err := exec.Command("sh", "-c", "printf '%s\\0' "+quote(words...)).Output()
		require.NoError(t, err)
		require.Equal(t, strings.Join(words, "\x00")+"\x00", string(out))
	}
}
