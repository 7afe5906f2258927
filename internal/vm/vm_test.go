//go:build vm

package vm

import (
	"context"
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
// machine at hand may not have, as root and as another user, and on arm64.
//
//	KIT_VM_AMD64=$(.ci/kernel DIR amd64) KIT_VM_ARM64=$(.ci/kernel DIR arm64) \
//		go test -tags vm ./internal/vm -v
func TestSuite(t *testing.T) {
	for _, c := range []struct {
		name, arch, cgroup string
		uid                int
	}{
		{"v2 root", "amd64", "v2", 0},
		{"v2 user", "amd64", "v2", 1000},
		{"v1 root", "amd64", "v1", 0},
		{"arm64", "arm64", "v2", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			ktest.RequireTool(t, qemu(c.arch), "mke2fs", "go")
			variable := "KIT_VM_" + strings.ToUpper(c.arch)
			top := os.Getenv(variable)
			if top == "" {
				ktest.Missing(t, variable+" is not set: see .ci/kernel")
			}
			kernel, modules, err := FindKernel(top)
			require.NoError(t, err)
			makeRoot := ktest.HostRootfs
			skip := "^(TestPicture|TestBuild|TestDevContainer|TestEnterAtAnyMoment)$|^TestInject"
			if c.arch != runtime.GOARCH {
				makeRoot = ktest.Rootfs // of busybox alone
				skip = "Picture|Build|DevContainer|EnterAtAnyMoment|Ctrl|JobControl|Terminal|WindowSize|" +
					"FirstPromise|MountsStay|^TestInject"
			}
			run := os.Getenv("KIT_VM_RUN")
			if run == "" && c.arch != runtime.GOARCH {
				run = whatDiffers
			}
			root := makeRoot(t)
			t.Setenv("GOARCH", c.arch)
			kit := ktest.Build(t, "github.com/containerkit/kit/cmd/kit")
			command(t, "cp", "--remove-destination", kit, filepath.Join(root, "bin/kit"))
			m := Machine{
				Arch: c.arch, Kernel: kernel, Modules: modules, Init: kit,
				Root: suiteImage(t, root, top), Memory: 2048, CPUs: 2,
				Guest: guest.Config{
					Command: []string{"/tests/run", run, skip},
					Env:     []string{"TERM=dumb"},
					Dir:     "/tests", UID: c.uid, Cgroup: c.cgroup,
				},
			}
			ctx, cancel := context.WithTimeout(t.Context(), 170*time.Minute)
			defer cancel()
			exit, err := m.Run(ctx, nil, os.Stdout)
			require.NoError(t, err)
			require.Zero(t, exit)
		})
	}
}

// whatDiffers is what another architecture may change: the numbers of system calls, what is
// in registers and structures, programs; and that each step works.
const whatDiffers = "Golden|Decode|Syscalls|State|Filter|Profile|Denied|Numbers|Capabilit|" +
	"ELF|Parse|Cgroup|Memory|Pids|CPU|Overlay|Upper|TwoServers|Addresses|Devices|Enter|Exit|Init|Trace"

// suiteImage makes a disk with a root file system, the busybox that a kernel's
// directory has, and the tests of every package that a kernel matters to.
func suiteImage(t *testing.T, root, top string) (image string) {
	t.Helper()
	command(t, "cp", filepath.Join(top, "bin/busybox"), filepath.Join(root, "bin/busybox"))
	for _, pkg := range packages(t) {
		dir := filepath.Join(root, "tests", filepath.FromSlash(pkg))
		require.NoError(t, os.MkdirAll(filepath.Dir(dir), 0o777))
		// Tests may look at what is beside them.
		command(t, "cp", "-rT", filepath.Join("../..", pkg), dir)
		command(t, "go", "test", "-c", "-trimpath", "-o", filepath.Join(dir, "test"),
			"github.com/containerkit/kit/"+pkg)
	}
	command(t, "cp", "-r", "../../lessons", "../../steps", filepath.Join(root, "tests"))
	require.NoError(t, os.WriteFile(filepath.Join(root, "tests/run"), []byte(runner), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "etc"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/resolv.conf"),
		[]byte("nameserver 192.0.2.1\n"), 0o644))
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

// runner runs all tests, or those that its first argument matches, and counts. The
// second matches those that need what is not there: kit's source, a compiler, bash.
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
	if ./test -test.v -test.timeout=7200s -test.run="${1:-.}" \
		-test.skip="$2" >/tmp/log 2>&1; then
		result=ok
	else
		result=FAIL failed="$failed ${dir#/tests/}"
		grep -v -E '^(=== |--- (PASS|SKIP)|    --- (PASS|SKIP))' /tmp/log
	fi
	echo "$result ${dir#/tests/} $(($(date +%s) - start)) s," \
		"$(grep -c -E '^ *--- PASS' /tmp/log) passed, $(grep -c -E '^ *--- SKIP' /tmp/log) skipped"
	grep -A1 -E '^ *--- SKIP' /tmp/log | grep -v -E '^ *---|^--' | sort | uniq -c
	sed -n 's/^--- [A-Z]*: \(.*\) (\(.*\)s)$/\2 s \1/p' /tmp/log | sort -rn | head -n 5
done
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
`

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
