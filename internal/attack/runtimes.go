package attack

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// A program is another program that makes containers.
type program struct {
	name    string
	not     string // why it cannot be attacked here
	command func(h *Host, a *Attack, attack []string, env string) ([]string, error)
}

// elsewhere is why a runtime with a daemon is left out.
const elsewhere = "its daemon runs on the machine itself, where nothing is attacked; " +
	"what it has by default is in the column of runc"

func runtimes() []program {
	return []program{
		{name: "unshare", command: unshareCommand},
		{name: "bwrap", command: bwrapCommand},
		{name: "runc", command: ociCommand("runc")},
		{name: "crun", command: ociCommand("crun")},
		{name: "systemd-nspawn", command: nspawnCommand},
		{name: "podman", command: podmanCommand},
		{name: "docker", not: elsewhere},
	}
}

// Runtimes are the names that may be given as places besides host and steps.
func Runtimes() (names []string) {
	for _, r := range runtimes() {
		names = append(names, r.name)
	}
	return names
}

func findRuntime(name string) *program {
	for _, r := range runtimes() {
		if r.name == name {
			return &r
		}
	}
	return nil
}

// unshareCommand is what unshare(1) gives: namespaces and a chroot.
func unshareCommand(h *Host, _ *Attack, attack []string, _ string) ([]string, error) {
	argv := []string{
		"unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child",
		"--root", h.root(), "--mount-proc",
	}
	return append(argv, attack...), nil
}

// bwrapCommand is bubblewrap with all its namespaces.
func bwrapCommand(h *Host, _ *Attack, attack []string, _ string) ([]string, error) {
	argv := []string{
		"bwrap", "--unshare-all", "--die-with-parent", "--bind", h.root(), "/",
		"--proc", "/proc", "--dev", "/dev",
	}
	return append(append(argv, "--"), attack...), nil
}

func nspawnCommand(h *Host, _ *Attack, attack []string, env string) ([]string, error) {
	argv := []string{
		"systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--as-pid2",
		"--machine=kit-attack", "--directory", h.root(), "--setenv=" + env,
	}
	return append(append(argv, "--"), attack...), nil
}

func podmanCommand(h *Host, a *Attack, attack []string, env string) ([]string, error) {
	argv := []string{
		"podman", "--root", h.plan.Dir + "/tmp/podman", "--runroot", h.plan.Dir + "/tmp/podman-run",
		"--cgroup-manager=cgroupfs", "--events-backend=none", "run", "--rm", "--quiet",
		"--network=none", "--ulimit=host", "--env", env,
	}
	for _, flags := range a.Flags {
		if slices.Contains([]string{"--memory", "--cpus", "--pids-limit"}, flags[0]) {
			argv = append(argv, flags...)
		}
	}
	return withoutHybrid(append(append(argv, "--rootfs", h.root()), attack...)), nil
}

// withoutHybrid hides the v2 hierarchy of a machine that has both, in a mount namespace
// made for the command: crun, which podman uses, refuses to run beside it.
func withoutHybrid(argv []string) []string {
	const script = `umount /sys/fs/cgroup/unified 2>/dev/null; exec "$0" "$@"`
	return append([]string{"unshare", "--mount", "sh", "-c", script}, argv...)
}

// dockerCapabilities are those that Docker leaves (moby, oci/caps/defaults.go).
var dockerCapabilities = [...]string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW",
	"CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE",
	"CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
}

// ociCommand makes a bundle as Docker would, and runs it.
func ociCommand(program string) func(*Host, *Attack, []string, string) ([]string, error) {
	return func(h *Host, a *Attack, attack []string, env string) ([]string, error) {
		bundle := filepath.Join(h.plan.Dir, "tmp", program)
		if err := os.MkdirAll(bundle, 0o755); err != nil {
			return nil, err
		}
		config := filepath.Join(bundle, "config.json")
		_ = os.Remove(config)
		spec := exec.Command(program, "spec")
		spec.Dir = bundle
		if err := spec.Run(); err != nil {
			return nil, err
		}
		if err := likeDocker(h, a, config, attack, env); err != nil {
			return nil, err
		}
		argv := []string{
			program, "--root", filepath.Join(bundle, "state"), "run", "--bundle", bundle,
			"kit-attack-" + a.Name,
		}
		if program == "crun" {
			argv = withoutHybrid(argv)
		}
		return argv, nil
	}
}

// likeDocker turns the example of a configuration into what Docker's default is.
func likeDocker(h *Host, a *Attack, config string, attack []string, env string) error {
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	var s specs.Spec
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	list := dockerCapabilities[:]
	s.Process.Terminal, s.Process.NoNewPrivileges = false, false
	s.Process.Args, s.Process.Env = attack, append(s.Process.Env, env)
	s.Process.User = specs.User{}
	s.Process.Rlimits = nil
	s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: list, Effective: list, Permitted: list}
	s.Root = &specs.Root{Path: h.root()}
	// The plan's directory has a name that no other has.
	s.Linux.CgroupsPath = "/kit-attack-" + filepath.Base(h.plan.Dir)
	s.Linux.MaskedPaths = []string{
		"/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/timer_list",
		"/sys/firmware",
	}
	s.Linux.ReadonlyPaths = []string{
		"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
	}
	limitLike(a, &s)
	if s.Linux.Seccomp, err = seccomp.GetDefaultProfile(&s); err != nil {
		return err
	}
	if text, err = json.Marshal(s); err != nil {
		return err
	}
	return os.WriteFile(config, text, 0o644)
}

// limitLike sets the limits that kit step gets by its flags.
func limitLike(a *Attack, s *specs.Spec) {
	r := s.Linux.Resources
	if r == nil {
		r = &specs.LinuxResources{}
		s.Linux.Resources = r
	}
	switch a.Name {
	case "fork":
		limit := int64(60)
		r.Pids = &specs.LinuxPids{Limit: &limit}
	case "memory":
		limit := int64(64 << 20)
		r.Memory = &specs.LinuxMemory{Limit: &limit, Swap: &limit}
	case "cpu":
		period, quota := uint64(100_000), int64(20_000)
		r.CPU = &specs.LinuxCPU{Period: &period, Quota: &quota}
	}
}
