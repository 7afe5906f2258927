// Gen finds out which modules a lab needs: those of kit that its packages import.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/containerkit/kit/internal/newlab"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run() error {
	const module = "example.org/lab"
	tmp, err := os.MkdirTemp("", "newlab")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	dir := filepath.Join(tmp, "lab")
	if err := newlab.Whole(dir, module, nil); err != nil {
		return err
	}
	// All that kit needs, of which go mod tidy keeps what the lab does.
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		return err
	}
	_, mod, _ = bytes.Cut(mod, []byte("\n"))
	mod = append([]byte("module "+module+"\n"), mod...)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), mod, 0o644); err != nil {
		return err
	}
	sum, err := os.ReadFile("../../go.sum")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644); err != nil {
		return err
	}
	tidy := exec.Command("go", "mod", "tidy")
	tidy.Dir = dir
	tidy.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := tidy.CombinedOutput(); err != nil {
		return fmt.Errorf("go mod tidy: %w: %s", err, out)
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		text = bytes.ReplaceAll(text, []byte(module), []byte("MODULE"))
		if err := os.WriteFile(filepath.Join("files", name+".txt"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
