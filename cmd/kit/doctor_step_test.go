//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// TestStepTellsWhy: on a machine that lacks something a step says once what has failed,
// why, and what helps, in the doctor's words, and leaves nothing.
func TestStepTellsWhy(t *testing.T) {
	root := ktest.HostRootfs(t)
	const whole = "--security-opt=systempaths=unconfined"
	for _, c := range []struct {
		name, profile string // of the outer container
		flags         []string
		step          string
		exit          string
		says          []string
	}{
		{
			"namespaces denied", noNamespaces,
			[]string{whole},
			"1 --trace=off", "125",
			[]string{"\nhint: ", "a seccomp filter denies clone, unshare", "seccomp=unconfined"},
		},
		{
			"mounts denied", noMounts,
			[]string{whole},
			"2 --trace=off", "125",
			[]string{
				"kit: namespaces: mount / private: operation not permitted\nhint: ",
				"filters its system calls", "seccomp=unconfined",
			},
		},
		{
			"proc covered", noPidfds, nil, "2 --trace=off", "125",
			[]string{
				"kit: namespaces: mount proc on /proc: operation not permitted\nhint: new /proc " +
					"does not work here\nhint: parts of the outer /proc are covered (/proc/",
				"systempaths=unconfined",
			},
		},
		{
			"tracing denied", noPtrace,
			[]string{whole},
			"1", "0",
			[]string{"kit: no trace: ", "a seccomp filter denies ptrace", "--cap-add SYS_PTRACE"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "profile.json")
			require.NoError(t, os.WriteFile(file, []byte(denying(c.profile)), 0o600))
			ktest.Clean(t)
			const script = `mkdir /new /new/bin; cp /bin/kit /new/bin
				kit step $0 --rootfs /new -- /bin/kit steps >/dev/null; echo exit $?
				cd /tmp; find . -name 'kit-*' ! -type d; grep -c /new /proc/mounts`
			args := untraced(6, root, script, append(c.flags, "--security-opt=seccomp="+file)...)
			r := runKit(t, append(args, c.step)...)
			require.Equal(t, "exit "+c.exit+"\n0\n", r.out, r.err)
			for _, text := range c.says {
				require.Contains(t, r.err, text)
			}
			if c.exit == "125" {
				require.Equal(t, 1, strings.Count("\n"+r.err, "\nkit: "), r.err)
			}
		})
	}
}

// TestDoctorIsNotAskedInVain: what a user has got wrong is no reason to try the machine.
func TestDoctorIsNotAskedInVain(t *testing.T) {
	for text, asked := range map[string]bool{
		"netns: link kit0: operation not supported":    true,
		"clone CLONE_NEWUSER: operation not permitted": true,
		"namespaces: unshare: invalid argument":        true,
		"chdir /nope: no such file or directory":       false,
		`name "box" is taken by pid 4711`:              false,
	} {
		require.Equal(t, asked, ofMachine(text), text)
	}
}
