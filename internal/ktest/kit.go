package ktest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// WithKit runs the tests with a kit in PATH that is built for them, and a cache that
// has the default root file system. The cache is what KIT_CACHE names. Where no Go is, as
// in a virtual machine for the tests, it is the machine's own kit.
func WithKit(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kit-test")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		panic(err)
	}
	if _, err := exec.LookPath("go"); err == nil {
		if err := build(filepath.Join(dir, "kit"), "github.com/containerkit/kit/cmd/kit"); err != nil {
			panic(err)
		}
	}
	os.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	os.Setenv("KIT_CACHE", filepath.Join(dir, "cache"))
	if out, err := exec.Command("kit", "rootfs", "make").CombinedOutput(); err != nil {
		panic(string(out))
	}
	return m.Run()
}
