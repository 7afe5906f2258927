//go:build linux

package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// TestMaskedPaths looks for what docker hides, and tries to write what it protects.
func TestMaskedPaths(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	script := `for p in /proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys \
			/proc/latency_stats /proc/sched_debug /proc/scsi /proc/timer_list /proc/timer_stats \
			/sys/devices/virtual/powercap /sys/firmware; do
			if [ -d $p ]; then
				[ -z "$(ls -A $p)" ] || echo $p is not empty; (: >$p/new) 2>/dev/null && echo wrote
			elif [ -e $p ]; then [ -c $p ] && [ -z "$(cat $p)" ] || echo $p is not hidden; fi
		done
		for p in /proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger; do
			[ ! -e $p ] || grep -qE "^[^ ]+ $p [^ ]+ ro," /proc/self/mounts || echo $p may be written to
		done
		for p in /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches \
			/proc/irq/default_smp_affinity; do
			(: >$p) 2>/dev/null && echo wrote $p
		done; true`
	for _, flags := range []string{"", "--pid=host", "--cap-add=ALL", "--init"} {
		out := inside(t, 6, root, script, strings.Fields(flags)...)
		require.Empty(t, out, flags)
	}
	out := inside(t, 6, root, script, "--security-opt=systempaths=unconfined")
	require.Contains(t, out, "/proc/timer_list is not hidden\n")
	require.Contains(t, out, "/proc/sys may be written to")
}

// TestMaskedPathsNeedNull: with a volume in place of /dev/null nothing would be
// hidden, and what it leads to would be shown.
func TestMaskedPathsNeedNull(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	dir := ktest.PublicDir(t)
	require.NoError(t, os.Symlink("/proc/1/environ", dir+"/null"))
	defer os.Remove(dir + "/null")
	refused(t, 125, "caps-seccomp: lstat /dev/null: it is not the null device",
		untraced(6, root, "true", "--volume", dir+":/dev")...)
}

// TestSessionKeyring: the keys of whoever started kit stay outside.
func TestSessionKeyring(t *testing.T) {
	mine, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false)
	if err != nil {
		t.Skip("no session keyring here: ", err)
	}
	root := ktest.Rootfs(t)
	probe := ktest.Build(t, "github.com/containerkit/kit/internal/ktest/probe")
	ktest.Clean(t)
	ring := func(step int, flags ...string) string {
		return inside(t, step, root, "probe keyring", append(flags, "-v", probe+":/bin/probe")...)
	}
	before, after := ring(5), ring(6, "--security-opt=seccomp=unconfined")
	require.NotEqual(t, before, after)
	require.NotContains(t, after, string(rune(mine)))
	require.Contains(t, ring(6), "operation not permitted")
}

// TestOOMScore and its refusal.
func TestOOMScore(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	script := "cat /proc/self/oom_score_adj /proc/1/oom_score_adj"
	for _, flag := range []string{"--init=false", "--init"} {
		require.Equal(t, "500\n500", inside(t, 6, root, script, "--oom-score-adj=500", flag))
	}
	own, err := os.ReadFile("/proc/self/oom_score_adj")
	require.NoError(t, err)
	out := inside(t, 6, root, "cat /proc/self/oom_score_adj")
	require.Equal(t, strings.TrimSpace(string(own)), out)
	if everything(t)&(1<<unix.CAP_SYS_RESOURCE) != 0 && os.Geteuid() == 0 {
		require.Equal(t, "-500\n-500", inside(t, 6, root, script, "--oom-score-adj=-500"))
		return
	}
	r := runKit(t, untraced(6, root, "true", "--oom-score-adj=-500")...)
	require.Equal(t, 125, r.exit)
	require.Regexp(t, "^kit: caps-seccomp: write /proc/self/oom_score_adj -500: permission denied\n"+
		"hint: .*CAP_SYS_RESOURCE", r.err)
}

// TestUlimits sets, and refuses to raise.
func TestUlimits(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for _, flag := range []string{"--init=false", "--init"} {
		script := "ulimit -Sn; ulimit -Hn; ulimit -c; grep 'open files' /proc/self/limits"
		out := inside(t, 6, root, script, flag, "--ulimit=nofile=100:200", "--ulimit=core=0")
		require.Equal(t, []string{"100", "200", "0", "Max", "open", "files", "100", "200", "files"},
			strings.Fields(out))
	}
	require.Equal(t, "150\n150", inside(t, 6, root, "ulimit -Sn; ulimit -Hn", "--ulimit=nofile=150"))
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	if everything(t)&(1<<unix.CAP_SYS_RESOURCE) != 0 && os.Geteuid() == 0 {
		return
	}
	r := runKit(t, untraced(6, root, "true", "--ulimit=nofile=100:1073741816")...)
	require.Equal(t, 125, r.exit)
	require.Regexp(t, "^kit: caps-seccomp: prlimit nofile 100:1073741816: operation not permitted\n"+
		"hint: .*CAP_SYS_RESOURCE", r.err)
}
