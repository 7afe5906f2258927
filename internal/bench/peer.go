//go:build linux

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// step is the command of a step of kit, with limits where it has some.
func (l *lab) step(n int, payload []string, flags ...string) []string {
	args := append([]string{l.kit, "step", strconv.Itoa(n), "--rootfs", l.root}, flags...)
	if n >= 3 {
		args = append(args, "--memory=256m", "--cpus=1", "--pids-limit=100")
	}
	return append(append(args, "--"), payload...)
}

// bubblewrap makes what step 2 makes.
func (l *lab) bubblewrap(payload []string) []string {
	return append([]string{
		"bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1",
		"--die-with-parent", "--hostname", "bench", "--clearenv", "--bind", l.root, "/",
		"--proc", "/proc", "--ro-bind", "/sys", "/sys", "--dev", "/dev",
		"--mqueue", "/dev/mqueue",
	}, payload...)
}

func (l *lab) nspawn(payload []string) []string {
	return append([]string{
		"systemd-nspawn", "--quiet", "--private-network", "--register=no", "--keep-unit",
		"--as-pid2", "--pipe", "-D", l.root,
	}, payload...)
}

// podman has the limits of step 6. Untold it raises those of files and processes (setrlimit),
// which not every root may.
func (l *lab) podman(network, root string, payload []string, flags ...string) []string {
	args := []string{
		"podman", "--root", filepath.Join(l.dir, "podman"), "--runroot", filepath.Join(l.state, "podman"),
		"--cgroup-manager=cgroupfs", "--events-backend=none", "run", "--rm", "-i",
		"--network=" + network, "--memory=256m", "--cpus=1", "--pids-limit=100",
		"--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
	}
	args = append(append(args, flags...), "--rootfs", root)
	return append(args, payload...)
}

// oci writes a bundle with the same limits as step 6, and gives the command for it.
func (l *lab) oci(runtime string, payload []string) []string {
	bundle, err := os.MkdirTemp(l.dir, runtime)
	if err != nil {
		return nil
	}
	spec := exec.Command(runtime, "spec")
	spec.Dir = bundle
	if spec.Run() != nil {
		return nil
	}
	file := filepath.Join(bundle, "config.json")
	var config map[string]any
	data, _ := os.ReadFile(file)
	_ = json.Unmarshal(data, &config)
	process, _ := config["process"].(map[string]any)
	linux, _ := config["linux"].(map[string]any)
	if process == nil || linux == nil {
		return nil
	}
	process["terminal"], process["args"] = false, payload
	config["root"] = map[string]any{"path": l.root}
	linux["resources"] = map[string]any{
		"memory": map[string]any{"limit": 256 << 20},
		"cpu":    map[string]any{"quota": 100000, "period": 100000},
		"pids":   map[string]any{"limit": 100},
	}
	data, _ = json.Marshal(config)
	if os.WriteFile(file, data, 0o644) != nil {
		return nil
	}
	return []string{
		runtime, "--root", filepath.Join(l.state, runtime), "run", "--bundle", bundle,
		filepath.Base(bundle),
	}
}
