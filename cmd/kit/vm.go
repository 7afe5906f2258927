//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/vm"
	"github.com/containerkit/kit/internal/vm/guest"
	"github.com/containerkit/kit/rootfs"
)

// vmOptions are the flags of kit vm.
type vmOptions struct {
	kernel, cgroup string
	memory, cpus   int
	uid            int
}

func newVMCommand() *cobra.Command {
	o := &vmOptions{}
	cmd := &cobra.Command{
		Use:   "vm [flags] [-- kit-arguments]",
		Short: "Run kit in a throw-away virtual machine (default: a shell there)",
		Long: `Run this very kit in a virtual machine, where the machine at hand does not let it,
or should not be touched. Nothing is left of it when it has ended. It needs qemu, a
kernel that can be read, and mke2fs; neither root nor KVM, though with KVM it is
faster.`,
		Example: `  kit vm -- step 3 --memory 64m -- /bin/sh
  kit vm --cgroup v1 -- steps
  kit vm`,
		RunE: func(_ *cobra.Command, args []string) error { return o.run(args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.kernel, "kernel", "/",
		"`DIR` with boot/vmlinuz-* and lib/modules, as a kernel's package has them")
	f.StringVar(&o.cgroup, "cgroup", "v2", "`v1|v2`: version of the cgroup hierarchies")
	f.IntVar(&o.memory, "memory", 1024, "memory in `MiB`")
	f.IntVar(&o.cpus, "cpus", 2, "`number` of CPUs")
	f.IntVar(&o.uid, "uid", 0, "run kit as this `uid`")
	return cmd
}

func (o *vmOptions) run(args []string) error {
	if o.cgroup != "v1" && o.cgroup != "v2" {
		return fmt.Errorf("--cgroup %s: not one of v1, v2", o.cgroup)
	}
	switch {
	case o.memory < 256:
		return fmt.Errorf("--memory %d: the machine needs 256 (MiB)", o.memory)
	case o.cpus < 1:
		return fmt.Errorf("--cpus %d: the machine needs 1", o.cpus)
	case o.uid < 0:
		return fmt.Errorf("--uid %d: no uid is less than 0", o.uid)
	}
	if err := vm.Tools(runtime.GOARCH); err != nil {
		return failed(err)
	}
	kernel, modules, err := vm.FindKernel(o.kernel)
	if err != nil {
		return failed(err)
	}
	root, err := rootfs.Open("", os.Stderr)
	if err != nil {
		return failed(err)
	}
	dir, err := os.MkdirTemp("", "kit-vm")
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(dir)
	image := filepath.Join(dir, "image")
	if err := vm.Image(image, root.Dir, 1024); err != nil {
		return failed(err)
	}
	m := vm.Machine{
		Arch: runtime.GOARCH, Kernel: kernel, Modules: modules, Init: "/proc/self/exe",
		Root: image, Memory: o.memory, CPUs: o.cpus, Guest: o.guest(args),
	}
	restore, err := rawTerminal()
	if err != nil {
		return failed(err)
	}
	// Ended from outside, it still cleans up.
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	exit, err := m.Run(ctx, os.Stdin, os.Stdout)
	restore()
	if err != nil {
		return failed(err)
	}
	return &statusError{exit: exit}
}

// guest is what the machine is to do.
func (o *vmOptions) guest(args []string) guest.Config {
	c := guest.Config{
		Command: append([]string{"/bin/kit"}, args...), Dir: "/", UID: o.uid, Cgroup: o.cgroup,
	}
	if len(args) == 0 {
		c.Command = []string{"/bin/sh"}
	}
	if t, ok := os.LookupEnv("TERM"); ok {
		c.Env = append(c.Env, "TERM="+t)
	}
	if o.uid != 0 {
		c.Env = append(c.Env, "HOME=/tmp")
	}
	if size := container.WindowSize(); size != nil && term.IsTerminal(0) {
		c.Rows, c.Columns = size.Rows, size.Columns
	}
	return c
}

// rawTerminal passes every key to the machine, Ctrl-C too: it is a terminal's
// business there.
func rawTerminal() (restore func(), err error) {
	if !term.IsTerminal(0) {
		return func() {}, nil
	}
	state, err := term.MakeRaw(0)
	if err != nil {
		return nil, err
	}
	return func() { _ = term.Restore(0, state) }, nil
}
