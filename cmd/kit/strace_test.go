//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/steps"
)

// TestTraceAgreesWithStrace runs the same container twice: untraced under
// strace, and under kit's own observer. Per process, both must have seen the
// same calls, in the same order, with the same results: none is missing from
// the trace, and none is invented.
func TestTraceAgreesWithStrace(t *testing.T) {
	ktest.RequireTool(t, "strace")
	root := ktest.Rootfs(t)
	states := filepath.Join(ktest.PublicDir(t), "state")
	require.NoError(t, os.Mkdir(states, 0o700))
	t.Setenv("KIT_STATE", states) // there before either of them comes
	cache := filepath.Join(ktest.PublicDir(t), "cache")
	require.NoError(t, os.MkdirAll(filepath.Join(cache, "containers"), 0o755))
	t.Setenv("KIT_CACHE", cache) // the same
	for n := range steps.All {
		step := strconv.Itoa(n + 1)
		for _, extra := range roads(n + 1) {
			t.Run(step+strings.Join(extra, ""), func(t *testing.T) {
				name := "agree" + strconv.Itoa(os.Getpid())
				if slices.Contains(extra, "--time-offset") {
					ktest.RequireRelease(t, 6, 2)
				}
				args := append([]string{"step", step, "--name", name, "--rootfs", root}, extra...)
				want := straceCalls(t, args)
				got := traceCalls(t, args)
				require.NotEmpty(t, want)
				require.Equal(t, format(want), format(got), "strace (expected) and kit's trace (actual)")
			})
		}
	}
}

// roads are flags with which a step takes another road.
func roads(step int) [][]string {
	list := [][]string{nil}
	switch step {
	case 2:
		list = append(list, []string{"--init"}, []string{"--time-offset", "1h"})
		if os.Geteuid() == 0 {
			list = append(list, []string{"--userns", "remap"})
		}
	case 3:
		if os.Geteuid() == 0 {
			list = append(list, []string{"--pids-limit", "50", "--memory", "64m", "--cpus", "0.5"})
		}
	case 6:
		list = append(list, []string{"--init"}, []string{"--cap-drop", "all"})
		if os.Geteuid() == 0 {
			list = append(list, []string{"--user", "1"})
		}
	}
	return list
}

// A call is one container-relevant system call, as both tools tell it.
type call struct {
	process int // 0 is kit, 1 the first process it started, and so on
	name    string
	texts   []string // its strings: paths, names, data
	flags   []string // its symbolic flags, sorted
	result  string   // ok, or the name of the errno
}

func format(calls []call) string {
	var b strings.Builder
	for p := 0; ; p++ {
		n := 0
		told, last := map[string]bool{}, ""
		for _, c := range calls {
			if c.process != p {
				continue
			}
			n++
			line := fmt.Sprintf("%d %s %q %v = %s\n", p, c.name, c.texts, c.flags, c.result)
			// A list that changed while the kernel wrote it is asked for again.
			again := line == last && strings.HasPrefix(c.name, "send")
			if !again && (!perThread(c) || !told[line]) {
				b.WriteString(line)
			}
			told[line], last = true, line
		}
		if n == 0 {
			return b.String()
		}
	}
}

// perThread are the calls that Go makes in each of a process's threads, of which there
// are more or less; and without root those to the network that all of a user's
// containers share: it is already there, or is not.
func perThread(c call) bool {
	switch c.name {
	case "capset", "setresuid", "setresgid", "setgroups":
		return true
	case "prctl":
		return slices.Contains(c.flags, "PR_CAPBSET_DROP") ||
			slices.Contains(c.flags, "PR_SET_NO_NEW_PRIVS")
	case "sendto", "sendmsg":
		return os.Geteuid() != 0
	}
	return false
}

// alone is a command whose host has a network of its own, where root can have that:
// others may be at work on the machine's.
func alone(command ...string) *exec.Cmd {
	if os.Geteuid() == 0 {
		command = append([]string{"unshare", "--net"}, command...)
	}
	return exec.Command(command[0], command[1:]...)
}

// relevant are the calls that make a container.
func relevant(name string) bool {
	switch name {
	case "clone", "clone3", "fork", "vfork", "unshare", "setns",
		"mount", "umount2", "pivot_root", "chroot", "chdir", "fchdir",
		"open_tree", "move_mount", "mount_setattr", "fsopen", "fsconfig", "fsmount",
		"sethostname", "setdomainname", "prctl", "capset", "seccomp", "keyctl", "bpf",
		"sendto", "sendmsg", "rename", "renameat", "renameat2",
		"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
		"write", "mkdir", "mkdirat", "rmdir", "unlinkat", "mknod", "mknodat",
		"symlink", "symlinkat", "execve", "execveat":
		return true
	}
	return false
}

// kernelFile tells that a write changes the kernel's state and not a file's.
func kernelFile(args string) bool {
	return strings.Contains(args, "/uid_map>") || strings.Contains(args, "/gid_map>") ||
		strings.Contains(args, "/setgroups>") || strings.Contains(args, "/timens_offsets>") ||
		strings.Contains(args, "</proc/sys/") || strings.Contains(args, "</sys/fs/cgroup/")
}

// toNetlink tells that a message goes to the kernel, in the words of either tool.
func toNetlink(args string) bool {
	return strings.Contains(args, "AF_NETLINK") || strings.Contains(args, "<netlink ")
}

var (
	quoted  = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
	comment = regexp.MustCompile(`/\*.*?\*/`)
	symbol  = regexp.MustCompile(`\b(?:MS|MNT|CLONE|OPEN_TREE|MOVE_MOUNT|MOUNT_ATTR|AT|PR|SIG|S|` +
		`CAP|KEYCTL)_?[A-Z0-9_]+\b`)
)

// newCall reduces a call to what both tools can be expected to say alike.
func newCall(process int, name, args, result string) (call, bool) {
	if !relevant(name) || name == "write" && !kernelFile(args) ||
		strings.HasPrefix(name, "send") && !toNetlink(args) ||
		strings.Contains(args, "CLONE_THREAD") || strings.Contains(args, "PR_SET_VMA") ||
		strings.Contains(args, "PR_CAPBSET_READ") { // asks what there is, for the command line
		return call{}, false
	}
	c := call{process: process, name: name, result: result}
	if name == "execve" {
		args, _, _ = strings.Cut(args, "]") // the environment is not compared
	}
	switch name {
	case "sendto", "sendmsg", "bpf", "seccomp":
		return c, true // each tool has words of its own for what lies in memory
	}
	args = comment.ReplaceAllString(args, "")
	for _, m := range quoted.FindAllStringSubmatch(args, -1) {
		if m[1] != "" { // strace gives the address of a text that the kernel does not read
			c.texts = append(c.texts, m[1])
		}
	}
	if name == "execve" && strings.HasPrefix(c.texts[0], "/proc/self/") {
		c.texts = c.texts[:2] // kit itself: the arguments tell the two runs apart
	}
	if strings.Contains(args, "/cgroup.procs>") {
		c.texts = nil // the pid tells the two runs apart
	}
	for _, s := range symbol.FindAllString(quoted.ReplaceAllString(args, ""), -1) {
		if s != "AT_FDCWD" {
			c.flags = append(c.flags, s)
		}
	}
	slices.Sort(c.flags)
	return c, true
}

// straceCalls runs kit untraced under strace.
func straceCalls(t *testing.T, args []string) []call {
	dir := t.TempDir()
	kit := append([]string{"kit"}, append(slices.Clone(args), "--trace=off", "--", "/bin/true")...)
	out, err := alone(append([]string{
		"strace", "-ff", "-ttt", "-y", "--pidns-translation", "-s", "4096",
		"-o", filepath.Join(dir, "t"),
	}, kit...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	files, err := filepath.Glob(filepath.Join(dir, "t.*"))
	require.NoError(t, err)
	var lines []straceLine
	for _, file := range files {
		lines = append(lines, readStrace(t, file)...)
	}
	slices.SortStableFunc(lines, func(a, b straceLine) int { return strings.Compare(a.time, b.time) })
	return reduceStrace(lines)
}

// A straceLine is one system call of one thread.
type straceLine struct {
	time         string // of the call's entry
	tid          int
	name         string
	args, result string
}

var straceCall = regexp.MustCompile(`^(\S+) (\w+)\((.*)\)\s+= (.*)$`)

func readStrace(t *testing.T, file string) []straceLine {
	tid, err := strconv.Atoi(strings.TrimPrefix(filepath.Ext(file), "."))
	require.NoError(t, err)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var lines []straceLine
	for _, text := range strings.Split(string(data), "\n") {
		if m := straceCall.FindStringSubmatch(text); m != nil {
			lines = append(lines, straceLine{m[1], tid, m[2], m[3], m[4]})
		}
	}
	return lines
}

// reduceStrace gives every thread its process, and leaves out what kit did
// before the container's beginning and what the command did.
func reduceStrace(lines []straceLine) []call {
	process := map[int]int{lines[0].tid: 0}
	count := 1
	for _, l := range lines { // threads run before clone has returned to their parent
		if born := straceChild(l); born != 0 && !strings.Contains(l.args, "CLONE_THREAD") {
			process[born] = count
			count++
		}
	}
	for _, l := range lines {
		if born := straceChild(l); born != 0 && strings.Contains(l.args, "CLONE_THREAD") {
			process[born] = process[l.tid]
		}
	}
	var calls []call
	payload := map[int]bool{}
	for i, l := range lines {
		p := process[l.tid]
		result := "ok"
		if errno, failed := strings.CutPrefix(l.result, "-1 "); failed {
			result, _, _ = strings.Cut(errno, " ")
		}
		c, ok := newCall(p, l.name, l.args, result)
		if ok && i > 0 && !payload[p] {
			calls = append(calls, c)
			payload[p] = c.name == "execve" && result == "ok" &&
				!strings.HasPrefix(c.texts[0], "/proc/self/")
		}
	}
	return calls
}

var translated = regexp.MustCompile(`/\* (\d+) in strace's PID NS \*/`)

// straceChild is the process or thread, in strace's own PID namespace, that a
// call started.
func straceChild(l straceLine) int {
	if l.name != "clone" && l.name != "clone3" {
		return 0
	}
	number, _, _ := strings.Cut(l.result, " ")
	if m := translated.FindStringSubmatch(l.result); m != nil {
		number = m[1]
	}
	tid, _ := strconv.Atoi(number)
	return max(tid, 0)
}

// traceCalls runs kit under its own observer.
func traceCalls(t *testing.T, args []string) []call {
	file := filepath.Join(t.TempDir(), "trace.json")
	args = append(slices.Clone(args), "--format=json", "--trace-file", file, "--", "/bin/true")
	out, err := alone(append([]string{"kit"}, args...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	process := map[int]int{}
	var calls []call
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e trace.Event
		require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
		if e.Kind != trace.Syscall {
			continue
		}
		if _, ok := process[e.PID]; !ok {
			process[e.PID] = len(process)
		}
		var texts []string
		for _, a := range e.Args {
			texts = append(texts, a.Text)
		}
		result := "ok"
		if e.Errno != "" {
			result = e.Errno
		}
		if c, ok := newCall(process[e.PID], e.Call, strings.Join(texts, ", "), result); ok {
			calls = append(calls, c)
		}
	}
	require.NoError(t, lines.Err())
	return calls
}
