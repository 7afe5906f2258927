//go:build linux

package main

import (
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// The tests in this file attack kit from inside with CVE-2019-5736's method.
// They are about step 2: at step 1 the command shares all with the host but a
// root directory, which it can leave, and root in it is the host's root.

// How a sealed kit shows in /proc/PID/exe: the root of a mount that is attached
// nowhere, or the copy in memory.
const (
	sealed = "/"
	copied = "memfd:kit (deleted)"
)

// TestOverwriteWorks proves that the attack is one: it succeeds against a
// program that nobody has sealed.
func TestOverwriteWorks(t *testing.T) {
	ktest.RequireTool(t, "sleep")
	attack := ktest.Build(t, "github.com/containerkit/kit/internal/ktest/overwrite")
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	victim := copyFile(t, sleep, "kit-unsealed")
	before := checksum(t, victim)
	run := exec.Command(victim, "0.2")
	require.NoError(t, run.Start())
	r := finish(t, exec.Command(attack, "5s", "kit-unsealed"))
	require.NoError(t, run.Wait())
	require.Contains(t, r.out, "kit: written")
	require.NotEqual(t, before, checksum(t, victim))
}

// TestInitCannotBeOverwritten attacks a kit that stays as PID 1.
func TestInitCannotBeOverwritten(t *testing.T) {
	root, kit := attacked(t)
	ktest.Clean(t)
	before := checksum(t, kit)
	r := finish(t, exec.Command(kit, "step", "2", "--trace=off", "--init", "--rootfs", root,
		"--", "overwrite", "300ms", sealed, copied))
	require.Zero(t, r.exit, r.err)
	require.Regexp(t, "kit: (text file busy|read-only file system)\n$", r.out)
	require.Equal(t, before, checksum(t, kit))
}

// TestKitAsCommandCannotBeOverwritten makes kit run itself inside, as the CVE did.
func TestKitAsCommandCannotBeOverwritten(t *testing.T) {
	root, kit := attacked(t)
	ktest.Clean(t)
	before := checksum(t, kit)
	r := finish(t, exec.Command(kit, "step", "2", "--trace=off", "--rootfs", root, "--",
		"/proc/self/exe", "step", "1", "--trace=off", "--rootfs", "/", "--",
		"overwrite", "300ms", sealed, copied))
	require.Zero(t, r.exit, r.err)
	require.Regexp(t, "kit: (text file busy|read-only file system)\n$", r.out)
	require.Equal(t, before, checksum(t, kit))
}

// TestKitCannotBeOverwrittenAfterIt keeps hold of a kit that becomes the command,
// from another container of the same pod, until no kit runs any more.
func TestKitCannotBeOverwrittenAfterIt(t *testing.T) {
	ktest.Root(t) // a pod of containers needs root
	root, kit := attacked(t)
	ktest.Clean(t)
	victim := []string{
		kit, "step", "2", "--trace=off", "--rootfs", root,
		"--pid", "container:attacker", "--", "true",
	}
	t.Run("read-only mount", func(t *testing.T) {
		before := checksum(t, kit)
		require.Contains(t, attackFromPod(t, root, nil, victim), "kit: read-only file system")
		require.Equal(t, before, checksum(t, kit))
	})
	t.Run("sealed copy", func(t *testing.T) {
		// A program whose file has gone cannot be mounted read-only.
		file, err := os.Open(kit)
		require.NoError(t, err)
		defer file.Close()
		require.NoError(t, os.Remove(kit))
		victim[0] = "/proc/self/fd/3"
		out := attackFromPod(t, root, file, victim)
		require.Contains(t, out, "kit: operation not permitted")
	})
}

// attackFromPod runs the attack in a container of its own, and victim, with file
// as descriptor 3, until the attack has come to an end.
func attackFromPod(t *testing.T, root string, file *os.File, victim []string) string {
	t.Helper()
	attacker := start(t, "step", "2", "--trace=off", "--name", "attacker", "--rootfs", root,
		"--", "overwrite", "15s", sealed, copied)
	require.Eventually(t, func() bool {
		return exec.Command("kit", "inspect", "attacker").Run() == nil
	}, 10*time.Second, 10*time.Millisecond)
	for ended := false; !ended; {
		cmd := exec.Command(victim[0], victim[1:]...)
		if file != nil {
			cmd.ExtraFiles = []*os.File{file}
		}
		r := finish(t, cmd)
		ended = attacker.out.has("kit: ")
		if r.exit != 0 && !ended { // no pod to join any more: the attack is over, or never was
			require.Eventually(t, func() bool { return attacker.out.has("kit: ") },
				10*time.Second, 10*time.Millisecond, r.err)
			ended = true
		}
	}
	return attacker.expect(t, "\n") + attacker.expect(t, "\n")
}

// attacked makes a root file system with the attack in it, and the kit that is
// to be attacked, which is not the one that the tests run with.
func attacked(t *testing.T) (root, kit string) {
	t.Helper()
	root = ktest.Rootfs(t)
	attack := ktest.Build(t, "github.com/containerkit/kit/internal/ktest/overwrite")
	require.NoError(t, os.Rename(attack, filepath.Join(root, "bin/overwrite")))
	return root, ktest.Build(t, "github.com/containerkit/kit/cmd/kit")
}

func copyFile(t testing.TB, from, name string) string {
	t.Helper()
	data, err := os.ReadFile(from)
	require.NoError(t, err)
	to := filepath.Join(ktest.PublicDir(t), name)
	require.NoError(t, os.WriteFile(to, data, 0o755))
	return to
}

func checksum(t testing.TB, file string) [sha256.Size]byte {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return sha256.Sum256(data)
}
