//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A lab is what the measurements share: programs, a root file system and directories.
type lab struct {
	dir   string // on a disk, as /var is
	state string // on a tmpfs if there is one, as /run is: for the state of kit, crun, runc, podman

	kit, empty, probe string // programs
	root              string
	room              *room
	began             time.Time
	told              *os.File // what the last command has said
	ended             atomic.Bool
	holding           sync.Map // every held that there has been
	podmans           []string // cgroups that were here before us
}

func newLab() (*lab, error) {
	l := &lab{began: time.Now(), podmans: podmanCgroups()}
	l.heed()
	err := l.furnish()
	if err != nil {
		l.close()
	}
	return l, err
}

func (l *lab) furnish() error {
	if err := l.directories(); err != nil {
		return err
	}
	l.kit, l.empty = filepath.Join(l.dir, "kit"), filepath.Join(l.dir, "empty")
	l.probe = filepath.Join(l.dir, "probe")
	for program, source := range map[string]string{
		l.kit: "./cmd/kit", l.empty: "./internal/bench/empty", l.probe: "./internal/bench/probe",
	} {
		build := exec.Command("go", "build", "-trimpath", "-o", program,
			"github.com/containerkit/kit/"+source[2:])
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w: %s", source, err, out)
		}
	}
	for name, value := range map[string]string{
		"KIT_STATE": filepath.Join(l.state, "kit"), "KIT_CACHE": filepath.Join(l.dir, "cache"),
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	// Whom a tool leaves behind, as podman its monitor, comes to us and not to process 1.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl PR_SET_CHILD_SUBREAPER: %w", err)
	}
	root, err := exec.Command(l.kit, "rootfs", "make").Output()
	if err != nil {
		return fmt.Errorf("kit rootfs make: %w", err)
	}
	l.root = strings.TrimSpace(string(root))
	l.room, err = newRoom(l.state)
	return err
}

func (l *lab) directories() (err error) {
	if l.dir, err = os.MkdirTemp("/var/tmp", "kit-bench"); err != nil {
		return err
	}
	l.state = l.dir + "/state"
	for _, dir := range []string{"/run", "/dev/shm"} {
		var fs unix.Statfs_t
		if unix.Statfs(dir, &fs) == nil && fs.Type == unix.TMPFS_MAGIC {
			l.state = filepath.Join(dir, filepath.Base(l.dir))
			break
		}
	}
	if err := os.MkdirAll(l.state, 0o755); err != nil {
		return err
	}
	l.told, err = os.Create(filepath.Join(l.dir, "told"))
	return err
}

func (l *lab) close() {
	for _, dir := range podmanCgroups() {
		if !slices.Contains(l.podmans, dir) {
			_ = os.Remove(dir)
		}
	}
	_ = os.RemoveAll(l.state)
	if err := os.RemoveAll(l.dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
}

// podmanCgroups are those that podman makes for all containers and never removes, the
// inner ones first.
func podmanCgroups() (list []string) {
	for _, below := range []string{"/*", ""} {
		for _, hierarchy := range []string{"", "/*"} {
			dirs, _ := filepath.Glob("/sys/fs/cgroup" + hierarchy + "/libpod_parent" + below)
			for _, dir := range dirs {
				if info, err := os.Stat(dir); err == nil && info.IsDir() {
					list = append(list, dir)
				}
			}
		}
	}
	return list
}

// heed leaves nothing behind when the bench is interrupted: what runs comes to its end.
func (l *lab) heed() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	go func() {
		<-signals
		l.ended.Store(true)
		l.holding.Range(func(h, _ any) bool { _ = h.(*held).input.Close(); return true })
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline) && l.busy(); {
			time.Sleep(100 * time.Millisecond)
		}
		l.close()
		os.Exit(130)
	}()
}

// busy tells that a process below us runs.
func (l *lab) busy() bool {
	all, _ := processes()
	return slices.ContainsFunc(all, func(p process) bool {
		return p.parent == os.Getpid() && p.state != "Z"
	})
}

// say tells on standard error how far the bench is.
func (l *lab) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: %4.0f s  %s\n", time.Since(l.began).Seconds(),
		fmt.Sprintf(format, args...))
}

// machine is what the numbers were measured on, in a line.
func machine() string {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	info, _ := os.ReadFile("/proc/cpuinfo")
	model := "a processor"
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
		}
	}
	cpus := strings.Count(string(info), "processor\t")
	return fmt.Sprintf("%d CPUs (%s), Linux %s, %s", cpus, model,
		strings.TrimSpace(string(release)), time.Now().Format("January 2006"))
}
