//go:build linux

package main

import (
	"archive/tar"
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// These tests are small unless KIT_LIMITS=full asks for as many as kit is to bear.

// many is how many there are in a test.
func many(full, few int) int {
	if os.Getenv("KIT_LIMITS") == "full" {
		return full
	}
	return few
}

// together runs n functions at once.
func together(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Add(1)
		go func() {
			defer all.Done()
			f(i)
		}()
	}
	all.Wait()
}

// patient is finish for a machine that is busy with all that the test does.
func patient(t testing.TB, cmd *exec.Cmd) result {
	t.Helper()
	var out, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &stderr
	timer := time.AfterFunc(3*time.Minute, func() {
		if cmd.Process != nil {
			_ = cmd.Process.Kill()
		}
	})
	defer timer.Stop()
	_ = cmd.Run()
	return result{out.String(), stderr.String(), exitStatus(cmd.ProcessState)}
}

// TestManyAtOnce has containers of all steps side by side, started all at once: each has
// a name and an address of its own, and they go as they came.
func TestManyAtOnce(t *testing.T) {
	enterable(t)
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	w := newSweeper(t, "many")
	n := many(200, 20)
	input, end, err := os.Pipe()
	require.NoError(t, err)
	kits, words := make([]*exec.Cmd, n), make([]strings.Builder, n)
	for i := range kits {
		name := fmt.Sprintf("many%d", i)
		kits[i] = exec.Command("kit", untraced(6, root, "exec cat", "--name", name)...)
		kits[i].Stdin, kits[i].Stderr = input, &words[i]
		require.NoError(t, kits[i].Start())
	}
	input.Close()
	running := func() (n int) {
		addresses := map[string]bool{}
		for _, c := range list(t) {
			if c.Status == "running" && c.Address != "" && !addresses[c.Address] {
				addresses[c.Address] = true
				n++
			}
		}
		return n
	}
	began := time.Now()
	for running() < n && time.Since(began) < 4*time.Minute {
		time.Sleep(time.Duration(n) * 5 * time.Millisecond)
	}
	require.Equal(t, n, running(), "%s", words)
	t.Logf("%d containers run after %v", n, time.Since(began).Round(time.Millisecond))
	r := runKit(t, "enter", "many3", "--", "/bin/sh", "-c", "exit 7")
	end.Close()
	for i, kit := range kits {
		require.NoError(t, kit.Wait(), words[i].String())
		require.Empty(t, words[i].String())
	}
	require.Equal(t, result{exit: 7}, r)
	require.Equal(t, w.before, w.survey(5*time.Second))
}

// TestManyInSequence: the last container finds what the first one found, and starts as
// fast.
func TestManyInSequence(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	w := newSweeper(t, "row")
	n := many(1000, 30)
	args := untraced(6, root, "hostname; ls /proc/self/fd | wc -l; ip -4 -o addr show eth0",
		"--name", w.name)
	var first result
	var times []time.Duration
	for range n {
		began := time.Now()
		r := runKit(t, args...)
		times = append(times, time.Since(began))
		require.Zero(t, r.exit, r.err)
		if first.out == "" {
			first = r
		}
		require.Equal(t, first, r)
	}
	require.Equal(t, w.before, w.survey(2*time.Second))
	early, late := times[:n/3], times[n-n/3:]
	slices.Sort(early)
	slices.Sort(late)
	t.Logf("%d runs, median %v at first, %v at last", n, early[len(early)/2], late[len(late)/2])
	require.Less(t, late[len(late)/2], 5*early[len(early)/2]+100*time.Millisecond)
}

// TestParallelFirstUse: several kits that find no default root file system make one.
func TestParallelFirstUse(t *testing.T) {
	ktest.Clean(t)
	cache := filepath.Join(ktest.PublicDir(t), "cache")
	t.Setenv("KIT_CACHE", cache)
	together(many(30, 6), func(int) {
		r := patient(t, exec.Command("kit", "step", "2", "--trace=off", "--", "/bin/sh", "-c", "echo in"))
		if r.exit != 0 || r.out != "in\n" {
			t.Errorf("exit %d: %s", r.exit, r.err)
		}
	})
	roots, err := os.ReadDir(filepath.Join(cache, "roots"))
	require.NoError(t, err)
	require.Len(t, roots, 1)
	require.Regexp(t, `(?m)^default\b`, runKit(t, "rootfs", "ls").out)
	require.Zero(t, runKit(t, "rootfs", "rm", "default").exit)
	require.Equal(t, []string{}, dirNames(filepath.Join(cache, "roots")))
}

func dirNames(dir string) []string {
	names := []string{}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestParallelBridge: the first container on the bridge makes it and the last takes it
// away, while others come and go.
func TestParallelBridge(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	w := newSweeper(t, "pass")
	together(5, func(i int) {
		for range many(40, 4) {
			script := "gw=$(ip route | awk '/default/{print $3}'); ping -c 1 -W 10 $gw >/dev/null && echo in"
			r := patient(t, exec.Command("kit",
				untraced(5, root, script, "--name", fmt.Sprintf("pass%d", i))...))
			if r.exit != 0 || r.out != "in\n" {
				t.Errorf("exit %d: %s%s", r.exit, r.out, r.err)
			}
		}
	})
	require.Equal(t, w.before, w.survey(5*time.Second))
}

// TestParallelAddress: of those that ask for one address, one gets it.
func TestParallelAddress(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	var lock sync.Mutex
	var taken int
	input, end, err := os.Pipe()
	require.NoError(t, err)
	defer input.Close()
	const n = 8
	together(n, func(int) {
		kit := exec.Command("kit", untraced(5, root, "exec cat", "--ip", "10.77.3.3")...)
		kit.Stdin = input
		r := patient(t, kit)
		lock.Lock()
		defer lock.Unlock()
		switch {
		case r.exit == 125 && strings.Contains(r.err, "10.77.3.3"):
			if taken++; taken == n-1 {
				end.Close() // the one that is left
			}
		case r.exit != 0:
			t.Errorf("exit %d: %s", r.exit, r.err)
			end.Close()
		}
	})
	require.Equal(t, n-1, taken)
}

// TestManyFiles imports a root file system of many files, and uses it as a layer.
func TestManyFiles(t *testing.T) {
	ktest.Clean(t)
	n := many(100_000, 5_000)
	archive := filepath.Join(ktest.PublicDir(t), "many.tar")
	manyFiles(t, ktest.Rootfs(t), archive, n)
	t.Setenv("KIT_CACHE", filepath.Join(ktest.PublicDir(t), "cache"))
	began := time.Now()
	r := patient(t, exec.Command("kit", "rootfs", "import", archive, "--name", "many"))
	require.Zero(t, r.exit, r.err)
	imported := time.Since(began)
	for _, step := range []int{1, 4} {
		began = time.Now()
		r = patient(t, exec.Command("kit", untraced(step, "many", "find /many -type f | wc -l")...))
		require.Equal(t, fmt.Sprintln(n), r.out, r.err)
	}
	t.Logf("%d files: imported in %v, counted in an overlay in %v", n, imported, time.Since(began))
	require.Zero(t, runKit(t, "rootfs", "rm", "many").exit)
	require.Equal(t, []string{}, dirNames(filepath.Join(os.Getenv("KIT_CACHE"), "roots")))
}

// manyFiles writes an archive of a root file system with n more files.
func manyFiles(t *testing.T, root, file string, n int) {
	t.Helper()
	f, err := os.Create(file)
	require.NoError(t, err)
	buffered := bufio.NewWriter(f)
	w := tar.NewWriter(buffered)
	require.NoError(t, w.AddFS(os.DirFS(root)))
	for i := range n {
		h := &tar.Header{Name: fmt.Sprintf("many/%d/%d", i/500, i), Mode: 0o644, Size: 1}
		require.NoError(t, w.WriteHeader(h))
		_, err := w.Write([]byte("x"))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, buffered.Flush())
	require.NoError(t, f.Close())
}

// TestLongArguments: what the kernel lets kit be started with reaches the command, and
// what is too long for the command is told.
func TestLongArguments(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	const longest = 32*4096 - 1 // MAX_ARG_STRLEN of execve(2), without the NUL
	one := strings.Repeat("a", longest)
	t.Setenv("BIG", strings.Repeat("b", longest-len("BIG=")))
	env := 0
	for _, e := range os.Environ() {
		env += len(e) + 9 // NUL and pointer
	}
	room := 2<<20 - env - 8<<10 // of a stack of 8 MiB; and kit's own flags
	var all []string
	for ; room > longest; room -= longest + 9 {
		all = append(all, one)
	}
	all = append(all, one[:room])
	var stack unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_STACK, &stack))
	if stack.Cur < 8<<20 {
		all = all[:1]
	}
	for _, step := range []int{1, 2, 6} {
		args := append(untraced(step, root, "echo $# ${#1} ${#BIG}", "-e", "BIG"), "x")
		require.Equal(t, result{out: fmt.Sprintln(len(all), longest, longest-4)},
			runKit(t, append(args, all...)...))
	}
	traced := []string{"step", "2", "--rootfs", root, "--trace-file", os.DevNull, "--", "/bin/echo"}
	traced = append(traced, slices.Repeat([]string{one}, 10)...)
	require.Equal(t, 10*(longest+1), len(runKit(t, traced...).out))

	r := runKit(t, append(untraced(6, root, "true", "--ulimit", "stack=1048576"), one, one, one)...)
	require.Equal(t, "kit: execve /bin/sh: argument list too long\nhint: the kernel takes 256 KiB of "+
		"arguments and environment here, a quarter of the limit on the stack (ulimit -s, "+
		"--ulimit stack), and 128 KiB in one of them\n", r.err)
	require.Equal(t, 126, r.exit)
}
