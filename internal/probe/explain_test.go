package probe

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
)

// on is a machine with some settings, seen by a user who is not root.
func on(sysctls map[string]string) machine {
	return machine{
		sysctl:  func(name string) string { return sysctls[name] },
		missing: func(uintptr) string { return "" },
		proc:    true,
	}
}

func TestExplain(t *testing.T) {
	ubuntu := on(map[string]string{"kernel.apparmor_restrict_unprivileged_userns": "1"})
	debian := on(map[string]string{"kernel.unprivileged_userns_clone": "0"})
	docker := on(nil)
	docker.container, docker.barred = "/.dockerenv", []string{"clone"}
	docker.label = "docker-default (enforce)"
	fedora := on(nil)
	fedora.label = "unconfined_u:unconfined_r:unconfined_t:s0"
	old := on(nil)
	old.missing = func(uintptr) string { return "time" }
	full := on(map[string]string{"user.max_user_namespaces": "100"})

	for _, c := range []struct {
		name    string
		m       machine
		err     error
		problem string
		fix     string
	}{
		{"ubuntu", ubuntu, unix.EPERM, "kernel.apparmor_restrict_unprivileged_userns is 1", "userns,"},
		{"ubuntu, at mount", ubuntu, unix.EACCES, "kernel.apparmor_restrict_", "/etc/apparmor.d"},
		{"debian", debian, unix.EPERM, "kernel.unprivileged_userns_clone is 0", "sysctl -w"},
		{"docker", docker, unix.EPERM, "inside a container (/.dockerenv)", "seccomp=unconfined"},
		{"no reason", fedora, unix.EPERM, "the kernel refuses: operation not permitted", "dmesg"},
		{"old kernel", old, unix.EINVAL, "the kernel has no time namespaces", "another kernel"},
		{"full", full, unix.ENOSPC, "too many namespaces", "lsns"},
		{"processes", full, unix.EAGAIN, "no more processes", "raise the limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			facts := explain(c.m, unix.CLONE_NEWUSER|unix.CLONE_NEWTIME, c.err)
			require.NotEmpty(t, facts)
			require.Contains(t, facts[0].Problem, c.problem)
			require.Contains(t, facts[0].Fix, c.fix)
			require.NotEmpty(t, facts[0].Why)
		})
	}
}

func TestDockerHasTwoReasons(t *testing.T) {
	m := on(nil)
	m.container, m.barred = "/.dockerenv", []string{"clone"}
	m.label = "docker-default (enforce)"
	facts := explain(m, unix.CLONE_NEWUSER, unix.EPERM)
	require.Len(t, facts, 2)
	require.Contains(t, facts[1].Problem, "docker-default")
}

// TestUbuntuInside: the root of a user's namespace may make namespaces, and mounts nothing.
func TestUbuntuInside(t *testing.T) {
	m := on(map[string]string{"kernel.apparmor_restrict_unprivileged_userns": "1"})
	m.root, m.inner = true, true
	require.Contains(t, m.confined(unix.EACCES)[0].Fix, "/etc/apparmor.d")
	m.inner = false // the host's own
	require.Contains(t, m.confined(unix.EACCES)[0].Problem, "the kernel refuses")
}

// TestFiltered: nobody filters the calls of the tests, and asking does nothing.
func TestFiltered(t *testing.T) {
	if s, err := procfs.ReadStatus(0); err != nil || s.Seccomp != 0 {
		t.Skip("somebody does")
	}
	require.Empty(t, Filtered())
}
