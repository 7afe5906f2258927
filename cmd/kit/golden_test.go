//go:build linux

package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/internal/trace/render"
	"github.com/containerkit/kit/steps"
)

var elsewhere = flag.String("recorded", "", "take `DIR`/stepN.json, recorded elsewhere")

// TestGolden compares each step's trace with testdata/golden: the calls of the lesson
// and the notes, an event a line, without what differs from run to run or from machine
// to machine (golden_line_test.go). So a change of what a step says to the kernel, or of
// what the kernel makes of it, is seen in review.
//
//	go test ./cmd/kit -run TestGolden -update
//
// writes them anew, for root or for a user. What step 3 does depends on the machine's
// cgroup hierarchies: there is a file for each kind. Those of another machine come from
// records that were made there, by
//
//	kit vm --kernel DIR -- step 3 --name golden --format=json -- true >RECORDS/step3.json
//	go test ./cmd/kit -run TestGolden -update -recorded RECORDS
func TestGolden(t *testing.T) {
	rootfs := ktest.Rootfs(t)
	for i, s := range steps.All {
		t.Run(s.Name, func(t *testing.T) {
			if i+1 >= 4 && os.Geteuid() != 0 {
				ktest.RequireRelease(t, 5, 11) // an overlay of a user's
			}
			events := goldenRecord(t, i+1, rootfs)
			name := fmt.Sprintf("step%d", i+1)
			if *events[0].Rootless {
				name += "-user"
			}
			if i+1 >= 3 && !*events[0].Rootless && events[0].Cgroup == "v1" {
				t.Skip("nobody is born in a cgroup of v1: the traces are those of v2")
			}
			lines := goldenLines(events, rootfs)
			if i+1 == 3 && !*events[0].Rootless {
				compareGolden(t, name+"-"+events[0].Cgroup, lines[true])
			}
			compareGolden(t, name, lines[false])
		})
	}
}

// goldenRecord runs a step, for the second time: the first makes what all containers
// share. Or it reads a step's record.
func goldenRecord(t *testing.T, n int, rootfs string) []*trace.Event {
	file := filepath.Join(*elsewhere, fmt.Sprintf("step%d.json", n))
	if *elsewhere == "" {
		ktest.Clean(t)
		file = filepath.Join(t.TempDir(), "trace.json")
		for range 2 {
			kit := exec.Command(ktest.Kit(t), "step", fmt.Sprint(n), "--rootfs", rootfs,
				"--name", "golden", "--format=json", "--trace-file", file, "--", "true")
			kit.Dir = "/"
			out, err := kit.CombinedOutput()
			require.NoError(t, err, "%s", out)
		}
	}
	record, err := os.ReadFile(file)
	require.NoError(t, err)
	_, record, _ = bytes.Cut(record, []byte(`{"v":`)) // what a machine's console says first
	var events []*trace.Event
	record = append([]byte(`{"v":`), bytes.TrimSpace(record)...)
	require.NoError(t, render.Replay(bytes.NewReader(record), collect(func(e *trace.Event) error {
		events = append(events, e)
		return nil
	})))
	return events
}

type collect func(*trace.Event) error

func (c collect) Event(e *trace.Event) error { return c(e) }

// compareGolden compares lines with a file, or writes it.
func compareGolden(t *testing.T, name string, lines []string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name+".json")
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s has not been recorded: no machine of this kind was at hand", file)
	}
	require.NoError(t, err)
	if string(want) == got {
		return
	}
	// The whole of both would hide what differs.
	before := strings.Split(strings.TrimSuffix(string(want), "\n"), "\n")
	t.Errorf("%s differs; if this change is meant, write it anew with -update\n"+
		"gone:\n%s\ncame:\n%s", file, missing(before, lines), missing(lines, before))
}

// missing are the lines that are not in others; none where only their order differs.
func missing(lines, others []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
		return slices.Contains(others, line)
	}), "\n")
}
