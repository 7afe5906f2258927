//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/trace"
)

// recordOf runs true in a traced container and returns the record.
func recordOf(t *testing.T, args ...string) []trace.Event {
	t.Helper()
	ktest.Clean(t)
	file := filepath.Join(t.TempDir(), "trace.json")
	args = append([]string{"step"}, args...)
	args = append(args, "--rootfs", ktest.Rootfs(t), "--format=json", "--trace-file", file)
	r := runKit(t, append(args, "--", "/bin/true")...)
	require.Zero(t, r.exit, r.err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var events []trace.Event
	for line := range strings.Lines(string(text)) {
		var e trace.Event
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		events = append(events, e)
	}
	return events
}

// told is a name that no other test uses at the same time.
func told() string { return "told" + strconv.Itoa(os.Getpid()) }

// changesOf are those of a step's calls, one a line.
func changesOf(events []trace.Event, step int) (lines []string) {
	for _, e := range events {
		for _, c := range e.Changes {
			if e.Step == step && e.Class == trace.Lesson {
				lines = append(lines, e.Moment+" "+c.What+": "+c.Before+" → "+c.After)
			}
		}
	}
	return lines
}

// requireLine checks that one of the lines holds all of the parts.
func requireLine(t *testing.T, lines []string, parts ...string) {
	t.Helper()
	require.True(t, slices.ContainsFunc(lines, func(l string) bool {
		return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(l, p) })
	}), "%q in\n%s", parts, strings.Join(lines, "\n"))
}

func TestTraceTellsCgroups(t *testing.T) {
	needLimits(t, "pids", "memory")
	events := recordOf(t, "3", "--name", told(), "--pids-limit", "50", "--memory", "64m")
	changes := changesOf(events, 3)
	requireLine(t, changes, "Before cgroup ", "/kit-"+told()+":  → ", "cgroup.procs", "pids.max")
	requireLine(t, changes, "Before ", "/pids.max: max → 50")
	requireLine(t, changes, "Before ", " → 67108864")
	requireLine(t, changes, "After cgroup ", "/kit-"+told()+": ", " → ")
	for _, c := range changes {
		if strings.Contains(c, "/memory.limit_in_bytes") {
			require.Contains(t, c, "/memory.limit_in_bytes (v2: memory.max): ")
		}
	}
	var born bool
	for _, e := range events {
		for _, c := range e.Changes {
			born = born || strings.HasSuffix(c.What, "/cgroup") && strings.Contains(c.After, told())
		}
	}
	require.True(t, born, "no call moved the child, and it was not born in its cgroup")
}

func TestTraceTellsCapabilities(t *testing.T) {
	events := recordOf(t, "6", "--name", told())
	var drops int
	for _, e := range events {
		for _, c := range e.Changes {
			if e.Call == "prctl" && strings.HasSuffix(c.What, " CapBnd") {
				require.Equal(t, "lost "+e.Args[1].Text, c.Short)
				drops++
			}
		}
	}
	require.Greater(t, drops, 15)
	changes := changesOf(events, 6)
	requireLine(t, changes, "Last /proc/", "/status CapEff: ", "CAP_NET_BIND_SERVICE")
	requireLine(t, changes, "Last /proc/", "/status NoNewPrivs: 0 → 1")
	requireLine(t, changes, "Last /proc/", "/status Seccomp: 0 → 2")
}

func TestTraceTellsTheFilter(t *testing.T) {
	for _, e := range recordOf(t, "6", "--name", told()) {
		if e.Call != "seccomp" || e.Class != trace.Lesson {
			continue
		}
		require.Len(t, e.Decoded, 2)
		require.Equal(t, trace.Filter, e.Decoded[0].What)
		requireLine(t, e.Decoded[0].Lines, " instructions, for ")
		requireLine(t, e.Decoded[0].Lines, "denies ", " with EPERM: ", "keyctl", ", mount,", "reboot")
		requireLine(t, e.Decoded[0].Lines, "with ENOSYS: ", "clone3")
		requireLine(t, e.Decoded[0].Lines, "by the arguments: clone, ")
		require.Equal(t, trace.Code, e.Decoded[1].What)
		requireLine(t, e.Decoded[1].Lines, "if arch == ", " goto ")
		requireLine(t, e.Decoded[1].Lines, "return EPERM")
		return
	}
	require.Fail(t, "no filter was loaded")
}

func TestTraceTellsTheNetwork(t *testing.T) {
	events := recordOf(t, "5", "--name", told())
	var said []string
	for _, e := range events {
		for _, d := range e.Decoded {
			said = append(said, d.Lines...)
		}
	}
	requireLine(t, said, "RTM_NEWLINK ", "kind veth (peer eth0", "into the network namespace of ")
	requireLine(t, said, "RTM_NEWADDR ", " dev eth0 ")
	requireLine(t, said, "NFT_MSG_NEWRULE ", " masquerade")
	changes := changesOf(events, 5)
	requireLine(t, changes, "Parent link eth0 in net:[", ":  → ")
	requireLine(t, changes, "Child link lo: down → up")
	requireLine(t, changes, "Child default route:  → via ")
	requireLine(t, changes, "Parent nft rule ip kit ", "masquerade")
	requireLine(t, said, "NFT_MSG_DELTABLE ip kit")
}
