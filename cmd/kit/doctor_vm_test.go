//go:build vm

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/doctor"
	"github.com/containerkit/kit/internal/ktest"
)

// TestVMDoctor sets what may be set in a throw-away machine only.
//
//	KIT_VM_AMD64=$(.ci/kernel DIR amd64) go test -tags vm ./cmd/kit -run TestVMDoctor
func TestVMDoctor(t *testing.T) {
	for name, c := range map[string]struct {
		script, cgroup string
		check          string
		says           []string
		steps          bool // whether they work
	}{
		"Debian's switch": {
			"echo 0 >/proc/sys/kernel/unprivileged_userns_clone", "v2", "userns",
			[]string{"kernel.unprivileged_userns_clone is 0", "sysctl -w"},
			false,
		},
		"Yama": {
			"echo 3 >/proc/sys/kernel/yama/ptrace_scope", "v2", "ptrace",
			[]string{"kernel.yama.ptrace_scope is 3", "/etc/sysctl.d"},
			true,
		},
		"v1": {
			"true", "v1", "cgroup", []string{"not ours to divide", "chown"}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := examinedInMachine(t, c.script, c.cgroup)
			require.Equal(t, c.cgroup, r.Machine.Cgroup)
			failsWith(t, primitive(t, r, c.check, ""), c.says...)
			for _, s := range r.Steps {
				require.Equal(t, c.steps, s.State == doctor.Works, "%+v", s)
			}
		})
	}
}

// examinedInMachine boots, runs a script as root, and kit doctor as another user.
func examinedInMachine(t *testing.T, script, cgroup string) (r doctor.Report) {
	t.Helper()
	variable := "KIT_VM_" + strings.ToUpper(runtime.GOARCH)
	kernel := os.Getenv(variable)
	if kernel == "" {
		ktest.Missing(t, variable+" is not set: see .ci/kernel")
	}
	kit := ktest.Build(t, "github.com/containerkit/kit/cmd/kit")
	cmd := exec.Command(kit, "vm", "--kernel", kernel, "--cgroup", cgroup)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	console := bufio.NewReader(out)
	for prompt := ""; !strings.HasSuffix(prompt, "# "); {
		b, err := console.ReadByte()
		require.NoError(t, err, prompt)
		prompt += string(b)
	}
	_, err = io.WriteString(in, strings.Join([]string{
		"stty -echo", script, "mkdir /tmp/u; chown 1000 /tmp/u; export HOME=/tmp/u",
		"echo BE''GIN; setpriv --reuid=1000 --regid=1000 --clear-groups kit doctor --json; echo E''ND",
		"exit", "",
	}, "\n"))
	require.NoError(t, err)
	text, err := io.ReadAll(console)
	require.NoError(t, err)
	require.NoError(t, cmd.Wait())
	_, report, _ := strings.Cut(string(text), "BEGIN")
	report, _, found := strings.Cut(report, "END")
	require.True(t, found, "%s", text)
	require.NoError(t, json.Unmarshal([]byte(report), &r), "%s", report)
	return r
}
