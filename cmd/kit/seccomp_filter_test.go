//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// probed makes a root file system with a program in it that makes system calls,
// and says what the kernel answered (internal/ktest/probe).
func probed(t *testing.T) (root string) {
	t.Helper()
	root = ktest.Rootfs(t)
	probe := ktest.Build(t, "github.com/containerkit/kit/internal/ktest/probe")
	text, err := os.ReadFile(probe)
	require.NoError(t, err)
	write(t, root, "bin/probe", string(text), 0o755)
	require.NoError(t, os.MkdirAll(filepath.Join(root, "tmp"), 0o777))
	return root
}

// answers runs the probe, and returns what the kernel answered by call.
func answers(t *testing.T, root, args string, flags ...string) map[string]string {
	t.Helper()
	clean := "rm -f /tmp/fifo /tmp/char /tmp/block"
	out := inside(t, 6, root, clean+"; probe "+args+"; "+clean, flags...)
	list := map[string]string{}
	for _, line := range strings.Split(out, "\n") {
		name, answer, _ := strings.Cut(line, " ")
		list[name] = answer
	}
	return list
}

// denied are the calls that docker's default container may not make.
const denied = `mount umount2 pivot_root fsopen open_tree mount_setattr reboot keyctl add_key
	request_key unshare setns clone-userns syslog bpf perf_event_open init_module delete_module
	kexec_load swapon acct clock_settime settimeofday sethostname open_by_handle_at quotactl
	userfaultfd io_uring_setup personality-exec kcmp pidfd_getfd mbind socket-alg socket-vsock`

// TestDeniedCalls tries what docker denies, and what it does not, in all ways in
// which a container can be started.
func TestDeniedCalls(t *testing.T) {
	root := probed(t)
	ktest.Clean(t)
	for _, flags := range []string{
		"", "--init", "--security-opt=no-new-privileges=false",
		"--security-opt=no-new-privileges=false --init", "--security-opt=seccomp=builtin",
		"--cap-drop=ALL",
	} {
		got := answers(t, root, "", strings.Fields(flags)...)
		for name := range strings.FieldsSeq(denied) {
			require.Equal(t, "EPERM", got[name], "%s %s", name, flags)
		}
		for name, want := range map[string]string{
			"clone3": "ENOSYS", "none-such": "ENOSYS", // so that a libc uses older calls
			"personality": "ok", "getrandom": "ok", "membarrier": "ok", "setresuid": "ok",
			"socket-inet": "ok", "socket-netlink": "ok", "name_to_handle_at": "EFAULT",
			"ptrace-nobody": "ESRCH", "process_vm_readv-nobody": "ok", "mknod-fifo": "ok",
			"chown": "ok", "open-kmsg": "ENOENT", "open-mem": "ENOENT",
		} {
			require.Equal(t, want, got[name], "%s %s", name, flags)
		}
		if os.Geteuid() == 0 && flags != "--cap-drop=ALL" {
			require.Equal(t, "ok ok ok", got["mknod-char"]+" "+got["mknod-block"]+" "+got["chroot"])
			require.Equal(t, "EROFS", got["write-sysctl"])
		}
		require.Contains(t, "EROFS EACCES", got["write-sysctl"])
	}
}

// TestUnconfinedCalls: without a filter it is the kernel that decides, by
// capabilities, and what needs none works.
func TestUnconfinedCalls(t *testing.T) {
	root := probed(t)
	ktest.Clean(t)
	got := answers(t, root, "", "--security-opt", "seccomp=unconfined")
	for name, want := range map[string]string{
		"mount": "EFAULT", "reboot": "EPERM", "keyctl": "ok", "unshare": "EPERM",
		"clone3": "EINVAL", "personality-exec": "ok", "sethostname": "EPERM",
	} {
		require.Equal(t, want, got[name], name)
	}
	got = answers(t, root, "reboot", "--security-opt", "seccomp=unconfined", "--cap-add=SYS_BOOT")
	if os.Geteuid() == 0 {
		require.Equal(t, "EINVAL", got["reboot"], "allowed, but nonsense was asked for")
	}
}

// TestCapabilitiesOpenTheFilter: the profile lets through what a capability that
// was added is for.
func TestCapabilitiesOpenTheFilter(t *testing.T) {
	root := probed(t)
	ktest.Clean(t)
	for _, test := range []struct{ capability, call, closed, open string }{
		{"SYS_ADMIN", "mount", "EPERM", "EFAULT"},
		{"SYS_ADMIN", "unshare", "EPERM", "ok"},
		{"SYS_ADMIN", "clone3", "ENOSYS", "EINVAL"},
		{"SYS_PTRACE", "kcmp", "EPERM", "ESRCH"},
		{"DAC_READ_SEARCH", "open_by_handle_at", "EPERM", "EFAULT"},
	} {
		require.Equal(t, test.closed, answers(t, root, test.call)[test.call])
		got := answers(t, root, test.call, "--cap-add", test.capability)[test.call]
		if os.Geteuid() != 0 && test.call == "open_by_handle_at" {
			require.Contains(t, "EPERM EFAULT", got) // the kernel wants it on the host
			continue
		}
		require.Equal(t, test.open, got, "%+v", test)
	}
}

// TestOtherNumbers: a 64-bit program can make calls with the numbers of 32-bit
// programs (int 0x80) and of x32. They are other calls, and no way around.
func TestOtherNumbers(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("amd64 has other numbers that any program may use")
	}
	root := probed(t)
	ktest.Clean(t)
	const getpid, mount, reboot = "80:20", "80:21", "80:88"
	const x32Mount, x32Reboot = "0x400000a5", "0x400000a9"
	calls := strings.Join([]string{"raw", getpid, mount, reboot, x32Mount, x32Reboot}, " ")
	got := answers(t, root, calls)
	require.Contains(t, "ok ENOSYS", got[getpid])
	for _, call := range []string{mount, reboot, x32Mount, x32Reboot} {
		require.Equal(t, "EPERM", got[call], call)
	}
	// A profile that does not list them ends whoever tries.
	profile := filepath.Join(t.TempDir(), "native.json")
	require.NoError(t, os.WriteFile(profile, []byte(`{"defaultAction":"SCMP_ACT_ALLOW"}`), 0o644))
	for _, call := range []string{getpid, "0x40000027"} {
		r := runKit(t, untraced(6, root, "probe raw "+call, "--security-opt", "seccomp="+profile)...)
		require.Equal(t, 128+int(unix.SIGSYS), r.exit, "%s: %+v", call, r)
	}
}

// TestProfileFile has profiles of its own, with every kind of action.
func TestProfileFile(t *testing.T) {
	root := probed(t)
	ktest.Clean(t)
	dir := t.TempDir()
	run := func(syscalls, args string, flags ...string) result {
		profile := filepath.Join(dir, "profile.json")
		text := `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[` + syscalls + `]}`
		require.NoError(t, os.WriteFile(profile, []byte(text), 0o644))
		flags = append(flags, "--security-opt", "seccomp="+profile)
		return runKit(t, untraced(6, root, "exec probe "+args, flags...)...)
	}
	for _, init := range []string{"--init=false", "--init"} {
		r := run(`{"names":["getrandom"],"action":"SCMP_ACT_ERRNO"}`, "getrandom", init)
		require.Equal(t, result{out: "getrandom EPERM\n"}, r)
		r = run(`{"names":["membarrier","nosuchcall"],"action":"SCMP_ACT_ERRNO","errnoRet":71}`,
			"membarrier getrandom", init)
		require.Equal(t, "getrandom ok\nmembarrier EPROTO\n", r.out)
		require.Contains(t, r.err, "no such system call: nosuchcall\n")
		r = run(`{"names":["membarrier"],"action":"SCMP_ACT_KILL_PROCESS"}`, "membarrier", init)
		require.Equal(t, 128+int(unix.SIGSYS), r.exit, "%+v", r)
		r = run(`{"names":["membarrier"],"action":"SCMP_ACT_LOG"}`, "membarrier", init)
		require.Equal(t, result{out: "membarrier ok\n"}, r)
		r = run(`{"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":97,
			"args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"},{"index":1,"value":15,"valueTwo":1,
			"op":"SCMP_CMP_MASKED_EQ"}]}`, "socket-inet socket-netlink", init)
		require.Equal(t, result{out: "socket-inet EAFNOSUPPORT\nsocket-netlink ok\n"}, r)
	}
	// Under these nothing can be started.
	r := run(`{"names":["execve"],"action":"SCMP_ACT_ERRNO"}`, "getrandom")
	require.Equal(t, 2, r.exit)
	require.Contains(t, r.err, "profile.json: it denies execve: ")
	r = run(`{"names":["setresuid","setresuid32"],"action":"SCMP_ACT_ERRNO"}`, "getrandom",
		"--user=1000", "--security-opt=no-new-privileges=false")
	require.Equal(t, 2, r.exit)
	require.Contains(t, r.err, "profile.json: it denies setresuid: ")
}

// TestTracingOthers: a process of the host's can be seen with --pid host, but not
// traced, for it may do more than the container.
func TestTracingOthers(t *testing.T) {
	root := probed(t)
	ktest.Clean(t)
	if os.Geteuid() == 0 { // else the host's ids are not the container's
		got := answers(t, root, "seize "+strconv.Itoa(os.Getpid()), "--pid=host")
		require.Equal(t, "EPERM", got["seize"])
	}
	out := inside(t, 6, root, "sleep 10 & probe seize $!; kill $!")
	require.Equal(t, "seize ok", out, "its own, as in docker")
}

// TestFiltersDoNotPile: one filter, and the command has it from its first call.
func TestFiltersDoNotPile(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for _, flag := range []string{"--init=false", "--init"} {
		out := inside(t, 6, root, "grep -h ^Seccomp /proc/self/status /proc/1/status", flag)
		one := "Seccomp:\t2\nSeccomp_filters:\t1"
		require.Equal(t, one+"\n"+one, out, fmt.Sprint(flag))
	}
}
