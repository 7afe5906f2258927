//go:build vm

package main

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// TestVM runs kit in a machine, with and without a terminal.
//
//	KIT_VM_AMD64=$(.ci/kernel DIR amd64) go test -tags vm ./cmd/kit -run TestVM
func TestVM(t *testing.T) {
	variable := "KIT_VM_" + strings.ToUpper(runtime.GOARCH)
	kernel := os.Getenv(variable)
	if kernel == "" {
		ktest.Missing(t, variable+" is not set: see .ci/kernel")
	}
	kit := ktest.Build(t, "github.com/containerkit/kit/cmd/kit")
	args := []string{"vm", "--kernel", kernel, "--"}

	script := "cat /proc/self/cgroup; uname -r; exit 7"
	cmd := exec.Command(kit, append(args, "step", "2", "--trace=off", "--", "sh", "-c", script)...)
	out, err := cmd.Output()
	require.Error(t, err)
	require.Equal(t, 7, cmd.ProcessState.ExitCode())
	require.Regexp(t, `(?m)^0::/\r?$`, string(out))

	cmd = exec.Command(kit, append(args, "step", "2", "-t", "--trace=off")...)
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 30, Cols: 100})
	require.NoError(t, err)
	defer terminal.Close()
	before := readUntil(t, terminal, "# ")
	_, err = terminal.WriteString("stty size; echo $((6*7))done; exit 3\n")
	require.NoError(t, err)
	require.NoError(t, err)
	text := readUntil(t, terminal, "42done\r\n")
	require.Contains(t, text, "30 100\r\n")
	require.NotContains(t, before+text, "\r\r")
	_ = cmd.Wait()
	require.Equal(t, 3, cmd.ProcessState.ExitCode())
}

// readUntil reads until the text ends with end.
func readUntil(t *testing.T, f *os.File, end string) (text string) {
	t.Helper()
	buf := make([]byte, 4096)
	for !strings.HasSuffix(text, end) {
		n, err := f.Read(buf)
		text += string(buf[:n])
		require.NoError(t, err, text)
	}
	return text
}
