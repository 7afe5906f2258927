// Package vm boots throw-away virtual machines: another kernel, another cgroup
// version, another architecture than this machine's. A program runs in it, on a
// root file system of its choice, and nothing is left of the machine when it has
// ended.
//
// It needs qemu, a kernel with its modules, and mke2fs(8); neither root nor KVM.
package vm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/containerkit/kit/internal/vm/guest"
)

// A Machine is what to boot.
type Machine struct {
	Arch    string   // as GOARCH
	Kernel  string   // file
	Modules string   // the kernel's lib/modules/VERSION directory
	Init    string   // static program that calls guest.Run
	Root    string   // ext4 image, see Image; changes to it are thrown away
	Memory  int      // MiB
	CPUs    int      //
	Append  []string // more of the kernel's command line
	Guest   guest.Config
}

// ErrNoExit tells that the machine ended without a word: its kernel crashed, or
// it was stopped from outside.
var ErrNoExit = errors.New("the machine ended without an exit status")

// Run boots the machine, copies what it writes to its console to out, and
// returns the exit status of its program.
func (m Machine) Run(ctx context.Context, out io.Writer) (exit int, err error) {
	dir, err := os.MkdirTemp("", "kit-vm")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	initrd := filepath.Join(dir, "initrd")
	if err := m.writeInitramfs(initrd); err != nil {
		return 0, fmt.Errorf("initramfs: %w", err)
	}
	cmd := exec.CommandContext(ctx, qemu(m.Arch), m.arguments(initrd)...)
	cmd.Stderr = out
	console, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	exit = -1
	lines := bufio.NewReader(console)
	for {
		line, err := lines.ReadString('\n')
		if status, ok := strings.CutPrefix(strings.TrimSpace(line), guest.ExitMark); ok {
			if exit, err = strconv.Atoi(status); err != nil {
				exit = -1
			}
			continue
		}
		fmt.Fprint(out, strings.ReplaceAll(line, "\r", ""))
		if err != nil {
			break
		}
	}
	err = cmd.Wait()
	if exit < 0 {
		return 0, errors.Join(ErrNoExit, err, ctx.Err())
	}
	return exit, nil
}
