//go:build linux

package main

import (
	"cmp"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// The benchmarks run the real kit, not the test binary, side by side with
// another program, in turns, so that both meet the same machine. They report
// the medians in milliseconds, and their ratio. They never fail for slowness.

// BenchmarkStart is from start to exit of a container of step 2 that runs true,
// against bubblewrap with the same namespaces and mounts. Target: within 2x.
func BenchmarkStart(b *testing.B) {
	ktest.RequireTool(b, "bwrap")
	kit, root := ktest.Build(b, "github.com/containerkit/kit/cmd/kit"), ktest.Rootfs(b)
	b.Setenv("KIT_STATE", ktest.PublicDir(b))
	sideBySide(b, "kit", []string{kit, "step", "2", "--trace=off", "--rootfs", root, "/bin/true"},
		"bwrap", []string{
			"bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1",
			"--die-with-parent", "--hostname", "bench", "--clearenv", "--bind", root, "/",
			"--proc", "/proc", "--ro-bind", "/sys", "/sys", "--dev", "/dev",
			"--mqueue", "/dev/mqueue", "/bin/true",
		})
}

// BenchmarkTrace is a container of step 6, traced, against strace -f over the
// untraced one. Target: within 1.3x, and no process of kit's over 60 MiB.
func BenchmarkTrace(b *testing.B) {
	ktest.RequireTool(b, "strace")
	kit, root := ktest.Build(b, "github.com/containerkit/kit/cmd/kit"), ktest.Rootfs(b)
	b.Setenv("KIT_STATE", filepath.Join(ktest.PublicDir(b), "state"))
	traced := []string{kit, "step", "6", "--trace-file", "/dev/null", "--rootfs", root, "/bin/true"}
	sideBySide(b, "traced", traced,
		"strace", []string{
			"strace", "-f", "-o", "/dev/null",
			kit, "step", "6", "--trace=off", "--rootfs", root, "/bin/true",
		})
	b.ReportMetric(peak(b, traced), "MiB")
}

// BenchmarkFollow is a command that makes 1,000 processes, followed, against strace -f
// over the same. The memory is that of the largest process of kit's.
func BenchmarkFollow(b *testing.B) {
	ktest.RequireTool(b, "strace")
	kit, root := ktest.Build(b, "github.com/containerkit/kit/cmd/kit"), ktest.Rootfs(b)
	b.Setenv("KIT_STATE", filepath.Join(ktest.PublicDir(b), "state"))
	forks := []string{
		"/bin/sh", "-c", "i=0; while [ $i -lt 1000 ]; do (:); i=$((i+1)); done",
	}
	followed := append([]string{
		kit, "step", "2", "--follow", "--trace-file", "/dev/null", "--rootfs", root,
	}, forks...)
	strace := append([]string{
		"strace", "-f", "-o", "/dev/null", kit, "step", "2", "--trace=off", "--rootfs", root,
	}, forks...)
	sideBySide(b, "followed", followed, "strace", strace)
	b.ReportMetric(peak(b, followed), "MiB")
}

// peak is the most memory that a command, or a process that it has waited for, has had:
// VmHWM in MiB.
func peak(b *testing.B, args []string) float64 {
	b.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	require.NoError(b, cmd.Run(), "%v", args)
	return float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024
}

// BenchmarkProcess is a kit that ends as soon as main is reached, against an
// empty Go program. Target: 1 ms more.
func BenchmarkProcess(b *testing.B) {
	kit := ktest.Build(b, "github.com/containerkit/kit/cmd/kit")
	empty := filepath.Join(ktest.PublicDir(b), "empty")
	require.NoError(b, os.WriteFile(empty+".go", []byte("package main\n\nfunc main() {}\n"), 0o644))
	out, err := exec.Command("go", "build", "-trimpath", "-o", empty, empty+".go").CombinedOutput()
	require.NoError(b, err, "%s", out)
	b.Setenv("KIT_ROLE", "probe")
	kitTime, emptyTime := sideBySide(b, "kit", []string{kit}, "empty", []string{empty})
	b.ReportMetric(milliseconds(kitTime-emptyTime), "ms-more")
}

// BenchmarkPackageInit is the time that the runtime itself measures for the
// initialization of all packages of kit (GODEBUG=inittrace=1), and the dearest ten of
// them. Target: 1 ms.
func BenchmarkPackageInit(b *testing.B) {
	kit := ktest.Build(b, "github.com/containerkit/kit/cmd/kit")
	line := regexp.MustCompile(`(?m)^init (\S+) @.* ms, ([0-9.]+) ms clock, (\d+) bytes`)
	var sums []time.Duration
	packages, bytes := map[string][]time.Duration{}, map[string]string{}
	for b.Loop() {
		cmd := exec.Command(kit)
		cmd.Env = []string{"GODEBUG=inittrace=1", "KIT_ROLE=probe"}
		out, err := cmd.CombinedOutput()
		require.NoError(b, err)
		var sum time.Duration
		for _, match := range line.FindAllStringSubmatch(string(out), -1) {
			took, err := time.ParseDuration(match[2] + "ms")
			require.NoError(b, err)
			packages[match[1]] = append(packages[match[1]], took)
			bytes[match[1]] = match[3]
			sum += took
		}
		sums = append(sums, sum)
	}
	names := slices.SortedFunc(maps.Keys(packages), func(x, y string) int {
		return cmp.Compare(median(packages[y]), median(packages[x]))
	})
	for _, name := range names[:min(10, len(names))] {
		b.Logf("%6.3f ms  %6s bytes  %s", milliseconds(median(packages[name])), bytes[name], name)
	}
	b.ReportMetric(milliseconds(median(sums)), "ms")
	b.ReportMetric(float64(len(names)), "packages")
	b.ReportMetric(0, "ns/op") // that would be the processes
}

// sideBySide runs two commands in turns and reports their medians.
func sideBySide(b *testing.B, oneName string, one []string, otherName string, other []string,
) (oneTime, otherTime time.Duration) {
	b.Helper()
	var oneTimes, otherTimes []time.Duration
	took(b, one) // what is made on first use is there from now on
	took(b, other)
	for b.Loop() {
		oneTimes = append(oneTimes, took(b, one))
		otherTimes = append(otherTimes, took(b, other))
	}
	oneTime, otherTime = median(oneTimes), median(otherTimes)
	b.ReportMetric(milliseconds(oneTime), oneName+"-ms")
	b.ReportMetric(milliseconds(otherTime), otherName+"-ms")
	b.ReportMetric(float64(oneTime)/float64(otherTime), oneName+"/"+otherName)
	b.ReportMetric(0, "ns/op") // that would be the sum of both
	return oneTime, otherTime
}

func took(b *testing.B, args []string) time.Duration {
	b.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	start := time.Now()
	out, err := cmd.CombinedOutput()
	duration := time.Since(start)
	require.NoError(b, err, "%v: %s", args, out)
	return duration
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
