package house

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/steps"
)

// TestEveryReasonIsGiven looks at what the trace says in the end: whichever way
// a statement of a step or of the engine came to make a system call, a reason
// stands beside it.
func TestEveryReasonIsGiven(t *testing.T) {
	kit, cache := buildKit(t), filepath.Join(t.TempDir(), "cache")
	for n := 1; n <= len(steps.All); n++ {
		for _, flags := range [][]string{nil, {"--init"}, {"--time-offset", "1h"}} {
			if n == 1 && flags != nil {
				continue // flags of step 2
			}
			t.Run(fmt.Sprint(n, flags), func(t *testing.T) {
				for _, e := range record(t, kit, cache, n, flags) {
					if e.Class == trace.Lesson && e.Why == "" {
						t.Errorf("%s:%d: %s of process %d: no reason", e.File, e.Line, e.Call, e.NSPID)
					}
				}
			})
		}
	}
}

// record runs true in a container of n steps and returns the trace.
func record(t *testing.T, kit, cache string, n int, flags []string) []trace.Event {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace.json")
	args := append([]string{"step", fmt.Sprint(n), "--format=json", "--trace-file", file}, flags...)
	cmd := exec.Command(kit, append(args, "--", "true")...)
	cmd.Env = append(os.Environ(), "KIT_CACHE="+cache)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	var events []trace.Event
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e trace.Event
		require.NoError(t, json.Unmarshal(lines.Bytes(), &e), "%s", lines.Text())
		events = append(events, e)
	}
	require.NotEmpty(t, events)
	return events
}

// buildKit builds the kit that a user would.
func buildKit(t *testing.T) string {
	t.Helper()
	kit := filepath.Join(t.TempDir(), "kit")
	out, err := exec.Command("go", "build", "-o", kit, top+"/cmd/kit").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return kit
}
