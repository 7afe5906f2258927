//go:build linux

package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/steps"
)

// TestTraceFollowsItsSchema: every line of every step's trace is what
// lessons/trace.schema.json says.
func TestTraceFollowsItsSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../lessons/trace.schema.json")
	require.NoError(t, err)
	rootfs := ktest.Rootfs(t)
	ktest.Clean(t)
	for n := range steps.All {
		for _, command := range []string{"true", "nosuch"} {
			file := filepath.Join(t.TempDir(), "t.json")
			run := exec.Command(ktest.Kit(t), "step", strconv.Itoa(n+1), "--rootfs", rootfs,
				"--format=json", "--trace-file", file, "--", command)
			_ = run.Run() // nosuch is not found
			checkLines(t, schema, file)
		}
	}
	file := filepath.Join(t.TempDir(), "followed.json")
	run := exec.Command(ktest.Kit(t), "step", "2", "--rootfs", rootfs, "--follow",
		"--format=json", "--trace-file", file, "--", "mount", "-t", "tmpfs", "x", "/mnt")
	require.NoError(t, run.Run())
	checkLines(t, schema, file)
}

func checkLines(t *testing.T, schema *jsonschema.Schema, file string) {
	t.Helper()
	record, err := os.ReadFile(file)
	require.NoError(t, err)
	kinds := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(record))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line, err := jsonschema.UnmarshalJSON(bytes.NewReader(lines.Bytes()))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(line), "%s", lines.Text())
		kinds[line.(map[string]any)["kind"].(string)]++
	}
	require.NoError(t, lines.Err())
	require.Equal(t, 1, kinds["begin"])
	require.Equal(t, 1, kinds["end"])
	require.Greater(t, kinds["syscall"], 50)
}

// TestTraceAsData runs what lessons/trace.md shows, block by block.
func TestTraceAsData(t *testing.T) {
	ktest.RequireTool(t, "jq")
	page, err := os.ReadFile("../../lessons/trace.md")
	require.NoError(t, err)
	rootfs := ktest.Rootfs(t)
	ktest.Clean(t)
	dir := t.TempDir()
	blocks := strings.Split(string(page), "```sh\n")[1:]
	require.Len(t, blocks, 5)
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		block = strings.ReplaceAll(block, "kit step 2", "kit step 2 --rootfs "+rootfs)
		cmd := exec.Command("sh", "-e", "-c", block)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(ktest.Kit(t))+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %.2000s", block, out)
		if strings.HasPrefix(block, "jq") {
			out = bytes.ReplaceAll(out, []byte("/null"), nil) // a device, without root a mount
			require.NotContains(t, string(out), "null", block)
			require.Greater(t, bytes.Count(out, []byte("\n")), 5, block)
		}
	}
}
