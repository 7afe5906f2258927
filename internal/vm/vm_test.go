//go:build vm

package vm

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/vm/guest"
)

// TestSuite runs kit's tests in virtual machines: with pure cgroup v2, which the
// machine at hand may not have, as root and as another user.
//
//	KIT_VM_KERNEL=$(.ci/kernel DIR) go test -tags vm ./internal/vm -v
func TestSuite(t *testing.T) {
	ktest.RequireTool(t, qemu(runtime.GOARCH), "mke2fs", "busybox")
	kernel, modules := kernelFiles(t)
	image := suiteImage(t)
	initProgram := ktest.Build(t, "github.com/containerkit/kit/cmd/kit")
	for _, c := range []struct {
		name   string
		cgroup string
		uid    int
	}{
		{"v2 root", "v2", 0},
		{"v2 user", "v2", 1000},
		{"v1 root", "v1", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Machine{
				Arch: runtime.GOARCH, Kernel: kernel, Modules: modules, Init: initProgram,
				Root: image, Memory: 2048, CPUs: 2,
				Guest: guest.Config{
					Command: []string{"/tests/run", os.Getenv("KIT_VM_RUN")},
					Dir:     "/tests", UID: c.uid, Cgroup: c.cgroup,
				},
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
			defer cancel()
			var log bytes.Buffer
			exit, err := m.Run(ctx, nil, io.MultiWriter(&log, os.Stdout))
			require.NoError(t, err, "%s", log.String())
			require.Zero(t, exit, "%s", log.String())
		})
	}
}

// kernelFiles finds a kernel that .ci/kernel has unpacked.
func kernelFiles(t *testing.T) (kernel, modules string) {
	t.Helper()
	dir := os.Getenv("KIT_VM_KERNEL")
	if dir == "" {
		ktest.Missing(t, "no kernel: KIT_VM_KERNEL is not set")
	}
	kernels, _ := filepath.Glob(filepath.Join(dir, "boot/vmlinuz-*"))
	all, _ := filepath.Glob(filepath.Join(dir, "lib/modules/*"))
	if len(all) == 0 {
		all, _ = filepath.Glob(filepath.Join(dir, "usr/lib/modules/*"))
	}
	require.NotEmpty(t, kernels)
	require.NotEmpty(t, all)
	return kernels[0], all[0]
}

// suiteImage makes a disk with the default root file system and the tests of
// every package that a machine's kernel matters to.
func suiteImage(t *testing.T) (image string) {
	t.Helper()
	root := ktest.HostRootfs(t)
	copyFile(t, root, "/bin/busybox")
	for _, pkg := range packages(t) {
		dir := filepath.Join("tests", filepath.FromSlash(pkg))
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o777))
		command(t, "go", "test", "-c", "-trimpath", "-o", filepath.Join(root, dir, "test"),
			"github.com/containerkit/kit/"+pkg)
		source := filepath.Join("../..", pkg)
		files, err := os.ReadDir(source)
		require.NoError(t, err)
		for _, f := range files {
			// Tests may look at what is beside them.
			command(t, "cp", "-r", filepath.Join(source, f.Name()), filepath.Join(root, dir))
		}
	}
	command(t, "cp", "-r", "../../lessons", filepath.Join(root, "tests"))
	require.NoError(t, os.WriteFile(filepath.Join(root, "tests/run"), []byte(runner), 0o755))
	for _, dir := range []string{"tests", "tmp"} {
		command(t, "chmod", "-R", "a+rwX", filepath.Join(root, dir))
	}
	image = filepath.Join(t.TempDir(), "image")
	require.NoError(t, Image(image, root, 2048))
	return image
}

// packages have tests that make kernel calls, which the machine's kernel answers.
func packages(t *testing.T) []string {
	t.Helper()
	if list := os.Getenv("KIT_VM_PACKAGES"); list != "" {
		return strings.Fields(list)
	}
	out := command(t, "go", "list", "-f", "{{if .TestGoFiles}}{{.ImportPath}}{{end}}"+
		"{{if and .XTestGoFiles (not .TestGoFiles)}}{{.ImportPath}}{{end}}", "../../...")
	var list []string
	for _, pkg := range strings.Fields(out) {
		pkg = strings.TrimPrefix(pkg, "github.com/containerkit/kit/")
		switch pkg {
		case "internal/house", "internal/vm", "internal/elfdep", "internal/picture":
			continue // about the source, not about the kernel
		}
		list = append(list, pkg)
	}
	return list
}

// runner runs all tests, or those that its argument matches, and counts. Two
// need kit's source or the compiler.
const runner = `#!/bin/sh
export HOME=/tmp/home TMPDIR=/tmp PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p $HOME
echo "kernel $(uname -r) $(uname -m), cgroups: $(awk '$3 ~ /^cgroup/ { print $3 }' /proc/mounts |
	sort | uniq -c | tr -s ' \n' ' '), uid $(id -u)"
failed=
for test in $(find /tests -name test -type f -perm -1 | sort); do
	dir=${test%/test}
	cd $dir || exit 1
	start=$(date +%s)
	if ./test -test.v -test.timeout=900s -test.run="${1:-.}" \
		-test.skip='^(TestPicture|TestBuild)$' >/tmp/log 2>&1; then
		result=ok
	else
		result=FAIL failed="$failed ${dir#/tests/}"
		grep -v -E '^(=== |--- (PASS|SKIP)|    --- (PASS|SKIP))' /tmp/log
	fi
	echo "$result ${dir#/tests/} $(($(date +%s) - start)) s," \
		"$(grep -c -E '^ *--- PASS' /tmp/log) passed, $(grep -c -E '^ *--- SKIP' /tmp/log) skipped"
	grep -A1 -E '^ *--- SKIP' /tmp/log | grep -v -E '^ *---|^--' | sort | uniq -c
done
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
`

func copyFile(t *testing.T, root, path string) {
	t.Helper()
	real, err := filepath.EvalSymlinks(path)
	require.NoError(t, err)
	command(t, "cp", real, filepath.Join(root, path))
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%v: %s", cmd.Args, stderr.String())
	return string(out)
}
