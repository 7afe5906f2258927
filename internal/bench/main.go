//go:build linux

// Bench measures what containers cost: kit at every step, untraced and traced, beside the
// other tools that this machine has. It writes a page and a picture:
//
//	go run ./internal/bench -o docs
//
// All are measured in turn, so that each meets the same machine, and only ratios are to
// be compared between machines. It wants to be root, and alone on the machine.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerkit/kit/internal/ktest"
)

func main() {
	ktest.OwnNetwork() // the bridges are not the machine's
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	rounds := flag.Int("rounds", 30, "how often everything is measured")
	settle := flag.Duration("settle", 0, "how long the machine idles before each measurement")
	many := flag.Int("many", 500, "how many containers are alive at the end")
	out := flag.String("o", "docs", "the `directory` of speed.md and speed.svg")
	flag.Parse()
	if os.Geteuid() != 0 {
		return fmt.Errorf("it starts containers of several tools: %w", os.ErrPermission)
	}
	l, err := newLab()
	if err != nil {
		return err
	}
	defer l.close()
	page := &page{rounds: *rounds, settle: *settle, machine: machine()}
	page.starts, page.missing = l.starts()
	l.measure(page.starts, *rounds, *settle)
	if page.calls, err = l.calls(); err != nil {
		return err
	}
	if page.costs, err = l.costs(*rounds); err != nil {
		return err
	}
	if page.growth, err = l.grow(*many); err != nil {
		return err
	}
	return page.write(*out)
}

// A lab is what the measurements share: a kit, a root file system and directories.
type lab struct {
	dir, kit, root string
}

func newLab() (*lab, error) {
	dir, err := os.MkdirTemp("", "kit-bench")
	if err != nil {
		return nil, err
	}
	l := &lab{dir: dir, kit: filepath.Join(dir, "kit")}
	build := exec.Command("go", "build", "-trimpath", "-o", l.kit, "./cmd/kit")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w: %s", err, out)
	}
	for name, value := range map[string]string{
		"KIT_STATE": filepath.Join(dir, "state"), "KIT_CACHE": filepath.Join(dir, "cache"),
		"PATH": dir + ":" + os.Getenv("PATH"),
	} {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	root, err := exec.Command(l.kit, "rootfs", "make").Output()
	if err != nil {
		return nil, fmt.Errorf("kit rootfs make: %w", err)
	}
	l.root = strings.TrimSpace(string(root))
	return l, nil
}

func (l *lab) close() { _ = os.RemoveAll(l.dir) }

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
