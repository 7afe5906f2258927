//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A start is one way to run true, and how long it took each time.
type start struct {
	name string
	args []string
	v1   bool // knows no hybrid of cgroup v1 and v2
	took []time.Duration
	peak float64 // MiB, of the largest of its processes
}

// starts are the ways that this machine has; missing are the tools that it has not.
func (l *lab) starts() (list []*start, missing []string) {
	add := func(name string, args ...string) *start {
		s := &start{name: name, args: args}
		list = append(list, s)
		return s
	}
	add("fork and exec", filepath.Join(l.root, "bin/true"))
	add("chroot", "chroot", l.root, "/bin/true")
	add("unshare and chroot", "unshare", "--mount", "--pid", "--uts", "--ipc", "--fork",
		"--root", l.root, "/bin/true")
	for n := 1; n <= 6; n++ {
		add(fmt.Sprintf("kit step %d", n), l.step(n, "--trace=off")...)
	}
	for n := 1; n <= 6; n++ {
		add(fmt.Sprintf("kit step %d, traced", n), l.step(n, "--trace-file", os.DevNull)...)
	}
	strace := append([]string{"strace", "-f", "-o", os.DevNull}, l.step(6, "--trace=off")...)
	for _, tool := range []struct {
		name string
		add  func()
	}{
		{"strace", func() { add("strace -f kit step 6", strace...) }},
		{"bwrap", func() { add("bubblewrap", l.bubblewrap()...) }},
		{"crun", func() { add("crun", l.oci("crun")...).v1 = true }},
		{"runc", func() { add("runc", l.oci("runc")...) }},
		{"podman", func() {
			add("podman", "podman", "run", "--rm", "--network=none", "--cgroups=disabled", "--ulimit=host",
				"--rootfs", l.root, "/bin/true").v1 = true
		}},
		{"systemd-nspawn", func() {
			add("systemd-nspawn", "systemd-nspawn", "--quiet", "--private-network",
				"--register=no", "--keep-unit", "--as-pid2", "-D", l.root, "/bin/true")
		}},
	} {
		if _, err := exec.LookPath(tool.name); err != nil {
			missing = append(missing, tool.name)
			continue
		}
		tool.add()
	}
	return list, missing
}

func (l *lab) step(n int, flags ...string) []string {
	args := append([]string{l.kit, "step", strconv.Itoa(n), "--rootfs", l.root}, flags...)
	if n >= 3 {
		args = append(args, "--memory=256m", "--cpus=1", "--pids-limit=100")
	}
	return append(args, "/bin/true")
}

// bubblewrap makes what step 2 makes.
func (l *lab) bubblewrap() []string {
	return []string{
		"bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1",
		"--die-with-parent", "--hostname", "bench", "--clearenv", "--bind", l.root, "/",
		"--proc", "/proc", "--ro-bind", "/sys", "/sys", "--dev", "/dev",
		"--mqueue", "/dev/mqueue", "/bin/true",
	}
}

// oci writes a bundle with the same limits as step 6, and gives the command for it.
func (l *lab) oci(runtime string) []string {
	bundle := filepath.Join(l.dir, runtime)
	if err := os.Mkdir(bundle, 0o755); err != nil {
		return nil
	}
	_ = exec.Command(runtime, "spec", "--bundle", bundle).Run()
	file := filepath.Join(bundle, "config.json")
	if _, err := os.Stat(file); err != nil {
		spec := exec.Command(runtime, "spec") // crun 1.8 has no --bundle there
		spec.Dir = bundle
		_ = spec.Run()
	}
	var config map[string]any
	data, _ := os.ReadFile(file)
	_ = json.Unmarshal(data, &config)
	process, _ := config["process"].(map[string]any)
	linux, _ := config["linux"].(map[string]any)
	if process == nil || linux == nil {
		return nil
	}
	process["terminal"], process["args"] = false, []string{"/bin/true"}
	config["root"] = map[string]any{"path": l.root}
	linux["resources"] = map[string]any{
		"memory": map[string]any{"limit": 256 << 20},
		"cpu":    map[string]any{"quota": 100000, "period": 100000},
		"pids":   map[string]any{"limit": 100},
	}
	data, _ = json.Marshal(config)
	_ = os.WriteFile(file, data, 0o644)
	return []string{
		runtime, "--root", filepath.Join(bundle, "state"), "run", "--bundle", bundle, "bench-" + runtime,
	}
}

// measure runs all in turn, after one run each that is not counted. Who fails is left
// out, and said to be so.
func (l *lab) measure(list []*start, rounds int, settle time.Duration) {
	for round := -1; round < rounds; round++ {
		for _, s := range list {
			if round >= 0 && s.took == nil && round > 0 {
				continue // it failed
			}
			time.Sleep(settle)
			took, peak, err := s.run()
			switch {
			case err != nil:
				fmt.Fprintf(os.Stderr, "bench: %s: %v\n", s.name, err)
				s.took = nil
			case round >= 0:
				s.took = append(s.took, took)
				s.peak = max(s.peak, peak)
			}
		}
	}
}

// run is one run, from start to exit, and the memory of the largest process.
func (s *start) run() (took time.Duration, peak float64, err error) {
	if s.args == nil {
		return 0, 0, fmt.Errorf("no bundle: %w", os.ErrNotExist)
	}
	err = aside(s.v1, func() error {
		cmd := exec.Command(s.args[0], s.args[1:]...)
		begin := time.Now()
		out, err := cmd.CombinedOutput()
		took = time.Since(begin)
		if err != nil {
			return fmt.Errorf("%w: %.200s", err, out)
		}
		peak = float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024
		return nil
	})
	return took, peak, err
}

// aside calls f on a thread of its own, which does not see the v2 side of hybrid cgroups
// if that is asked for: a process that it starts does not see it either.
func aside(hide bool, f func() error) error {
	if !hide {
		return f()
	}
	ended := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with us
		ended <- func() error {
			if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
				return fmt.Errorf("unshare: %w", err)
			}
			if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
				return fmt.Errorf("mount / private: %w", err)
			}
			_ = unix.Unmount("/sys/fs/cgroup/unified", unix.MNT_DETACH) // if it is there
			return f()
		}()
	}()
	return <-ended
}

// spread are the quartiles of some times, in milliseconds.
func spread(times []time.Duration) (low, middle, high float64) {
	sorted := slices.Sorted(slices.Values(times))
	at := func(q int) float64 {
		return float64(sorted[(len(sorted)-1)*q/4]) / float64(time.Millisecond)
	}
	return at(1), at(2), at(3)
}
