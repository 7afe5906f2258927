//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// starts are what a program of a libc's calls between execve and its end: none of them
// is one of those with which the Go runtime lets its threads wait for one another.
const starts = `execve exit_group access arch_prctl brk close faccessat fstat getrandom getuid
	getgid geteuid getegid ioctl mmap mprotect munmap newfstatat openat prctl pread64 prlimit64
	read readlink readlinkat rseq set_robust_list set_tid_address sigaltstack uname write`

// strict is a profile that allows these and, by the action, no other.
func strict(t *testing.T, action string, more ...string) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"defaultAction": action,
		"syscalls": []any{map[string]any{
			"names": append(strings.Fields(starts), more...), "action": "SCMP_ACT_ALLOW",
		}},
	})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "strict.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return file
}

// TestStrictProfile: what kit needs until the command is executed need not be allowed.
func TestStrictProfile(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for _, action := range []string{"SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"} {
		profile := "--security-opt=seccomp=" + strict(t, action)
		for _, trace := range []string{"off", "steps"} {
			r := runKit(t, "step", "6", "--rootfs", root, "--net", "none", "--trace", trace,
				"--trace-file", filepath.Join(t.TempDir(), "trace"), profile, "--", "/bin/true")
			require.Zero(t, r.exit, "%s %s: %s", action, trace, r.err)
		}
	}
}

// TestKilledByProfile: where a profile ends the command, kit says so.
func TestKilledByProfile(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	profile := strict(t, "SCMP_ACT_KILL_PROCESS")
	r := runKit(t, "step", "6", "--rootfs", root, "--net", "none", "--trace=off",
		"--security-opt=seccomp="+profile, "--", "/bin/mkdir", "/tmp/x")
	require.Equal(t, 159, r.exit, r.err)
	require.Equal(t, "kit: SIGSYS: the seccomp profile "+profile+
		" kills for a system call that the command has made\n", r.err)
}

// TestNoProgramUnderStrictProfile: where execve fails after the filter has been loaded,
// kit ends all the same, and says what it can.
func TestNoProgramUnderStrictProfile(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	write(t, root, "bin/garbage", "no program", 0o755)
	for _, trace := range []string{"off", "steps"} {
		r := runKit(t, "step", "6", "--rootfs", root, "--net", "none", "--trace", trace,
			"--trace-file", filepath.Join(t.TempDir(), "trace"),
			"--security-opt=seccomp="+strict(t, "SCMP_ACT_ERRNO"), "--", "/bin/garbage")
		require.Contains(t, []int{126, crashed}, r.exit, r.err)
		require.Contains(t, r.err, "the command's own, or it could not be executed; ")
	}
}

// TestUnknownCalls: a name that is no system call anywhere is told, and passed over.
func TestUnknownCalls(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	profile := strict(t, "SCMP_ACT_ERRNO", "nosuchcall", "s390_runtime_instr", "set_tls")
	r := runKit(t, "step", "6", "--rootfs", root, "--net", "none", "--trace=off",
		"--security-opt=seccomp="+profile, "--", "/bin/true")
	require.Zero(t, r.exit, r.err)
	require.Equal(t, "kit: --security-opt seccomp="+profile+
		": passed over, since kit knows no such system call: nosuchcall\n", r.err)
}

// TestFilterBeforeUser: without no_new_privs the filter comes first, and what becomes the
// user after it is done by the Go runtime, in all threads.
func TestFilterBeforeUser(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for _, init := range []string{"--init=false", "--init"} {
		for _, user := range []string{"0:0", "0"} {
			inside(t, 6, root, "true", "--net=none", "--security-opt=no-new-privileges=false",
				"--user="+user, init)
		}
	}
	if os.Geteuid() == 0 {
		require.Equal(t, "7 8", inside(t, 6, root, "echo $(id -u) $(id -g)", "--net=none",
			"--security-opt=no-new-privileges=false", "--user=7:8"))
	}
}

// TestFilterInThreads: the threads of an init, which stay, get the filter too.
func TestFilterInThreads(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	const script = `for s in /proc/1/task/*/status; do grep Seccomp: $s; done`
	for _, line := range strings.Split(inside(t, 6, root, script, "--init", "--net=none"), "\n") {
		require.Equal(t, "Seccomp:\t2", line)
	}
}
