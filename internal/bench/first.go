//go:build linux

package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A first is what the root file system costs: once, and at each start.
type first struct {
	Made   spread
	MiB    float64
	Files  int
	Looked spread // kit step 1 with the default one
	Given  spread // the same, given its directory
}

func (l *lab) first(rounds int) (*first, error) {
	f := &first{}
	var made []time.Duration
	for range min(rounds, 5) {
		cache := filepath.Join(l.dir, "cold")
		cmd := exec.Command(l.kit, "rootfs", "make")
		cmd.Env = append(os.Environ(), "KIT_CACHE="+cache)
		begin := time.Now()
		out, err := cmd.Output()
		if err != nil {
			return nil, err
		}
		made = append(made, time.Since(begin))
		if err := f.count(strings.TrimSpace(string(out))); err != nil {
			return nil, err
		}
		if err := os.RemoveAll(cache); err != nil {
			return nil, err
		}
	}
	looked := &start{true: []string{l.kit, "step", "1", "--trace=off", "--", "/bin/true"}}
	given := &start{true: l.step(1, []string{"/bin/true"}, "--trace=off")}
	for range rounds {
		for _, s := range []*start{looked, given} {
			if err := l.took(s, &s.hot, 0); err != nil {
				return nil, err
			}
		}
	}
	f.Made, f.Looked, f.Given = spreadOf(made), spreadOf(looked.hot), spreadOf(given.hot)
	return f, nil
}

// count adds up the regular files.
func (f *first) count(root string) error {
	f.MiB, f.Files = 0, 0
	return filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		f.Files++
		f.MiB += float64(info.Size()) / (1 << 20)
		return nil
	})
}
