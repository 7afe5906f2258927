package doctor

import (
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/procfs"
)

// A Machine is what kit runs on, and in.
type Machine struct {
	Kernel string `json:"kernel"` // "6.12.1-amd64"
	Arch   string `json:"arch"`   // as Go names it: "amd64"
	UID    int    `json:"uid"`
	Root   bool   `json:"root"`   // kit has the capabilities to do without a user namespace
	Cgroup string `json:"cgroup"` // "v2", "v1", "hybrid", "" for none
	Inside string `json:"inside"` // "docker", "podman", "codespaces", "lxc", "wsl1", "wsl2", ""
	Label  string `json:"label"`  // of the security module that confines kit, "" for none
}

func look() Machine {
	m := Machine{
		Arch: runtime.GOARCH, UID: os.Getuid(), Root: container.Privileged(), Inside: inside(),
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	m.Cgroup, _ = procfs.CgroupMode()
	if text, err := os.ReadFile("/proc/self/attr/current"); err == nil {
		m.Label = strings.TrimRight(string(text), "\n\x00")
	}
	return m
}

// inside names what kit runs in, by what each leaves for programs to find.
func inside() string {
	text, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	release := string(text)
	exists := func(path string) bool { _, err := os.Stat(path); return err == nil }
	wsl2 := strings.Contains(release, "WSL2") || strings.Contains(release, "microsoft-standard")
	switch {
	case strings.Contains(release, "Microsoft") && !wsl2:
		return "wsl1" // which runs no containers
	case os.Getenv("CODESPACES") == "true":
		return "codespaces"
	case exists("/run/.containerenv"):
		return "podman"
	case exists("/.dockerenv"):
		return "docker"
	case os.Getenv("container") != "":
		return os.Getenv("container") // systemd's convention: "lxc", "systemd-nspawn"
	case wsl2:
		return "wsl2"
	}
	return ""
}
