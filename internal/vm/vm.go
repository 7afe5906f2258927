// Package vm boots throw-away virtual machines: another kernel, another cgroup
// version, another architecture than this machine's. A program runs in it, on a
// root file system of its choice, and nothing is left of the machine when it has
// ended.
//
// It needs qemu, a kernel with its modules, and mke2fs(8); neither root nor KVM.
package vm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/containerkit/kit/internal/vm/guest"
)

// A Machine is what to boot.
type Machine struct {
	Arch    string   // as GOARCH
	Kernel  string   // file
	Modules string   // the kernel's lib/modules/VERSION directory
	Init    string   // static program that calls guest.Run
	Root    string   // ext4 image, see Image; changes to it are thrown away
	Disk    string   // another image, /dev/vdb, to which changes are kept; "" for none
	Memory  int      // MiB
	CPUs    int      //
	Append  []string // more of the kernel's command line
	Guest   guest.Config
}

// ErrNoExit tells that the machine ended without a word: its kernel crashed, or
// it was stopped from outside.
var ErrNoExit = errors.New("the machine ended without an exit status")

// Run boots the machine with in and out as its console, and returns the exit
// status of its program. in may be nil.
func (m Machine) Run(ctx context.Context, in io.Reader, out io.Writer) (exit int, err error) {
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
	console := &console{out: out, exit: -1}
	cmd.Stdout, cmd.Stderr = console, out
	if in != nil {
		// Not the file itself: of a terminal qemu would change the settings.
		keys, err := cmd.StdinPipe()
		if err != nil {
			return 0, err
		}
		go func() { _, _ = io.Copy(keys, in) }() // ends with us
	}
	if err := cmd.Run(); console.exit < 0 {
		return 0, errors.Join(ErrNoExit, err, ctx.Err())
	}
	return console.exit, nil
}
