//go:build linux

// Package guest is the inside of a virtual machine: the first process, which
// prepares the machine, runs one command, and switches the machine off.
package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// ConfigFile holds the Config, as JSON, in the initramfs.
	ConfigFile = "kit-vm.json"
	// ModuleDir has the kernel modules, in the initramfs.
	ModuleDir = "modules"
	// ExitMark begins the console's line with the exit status.
	ExitMark = "KIT-VM-EXIT "
)

// Config is what the machine is to do.
type Config struct {
	Command []string
	Env     []string
	Dir     string   // the command's working directory
	UID     int      // whom it runs as; the group is the same
	Cgroup  string   // v1 or v2
	Init    []string // becomes the first process in place of all that, and prints ExitMark itself
	Modules []string // files in ModuleDir, in the order of loading

	Rows, Columns uint16 // of the terminal that the console is shown in; 0 for none
}

// Is tells that this process is the first of a virtual machine, before the root
// file system is there.
func Is() bool {
	if os.Getpid() != 1 || len(os.Args) == 0 || os.Args[0] != "/init" {
		return false
	}
	_, err := os.Stat("/" + ConfigFile)
	return err == nil
}

// Run is the machine's /init. It does not return.
func Run() {
	status, err := run()
	if err != nil {
		fmt.Println("init:", err)
		status = 125
	}
	fmt.Printf("\n%s%d\n", ExitMark, status)
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	select {} // PID 1 must not end
}

func run() (status int, err error) {
	text, err := os.ReadFile("/" + ConfigFile)
	if err != nil {
		return 0, err
	}
	var c Config
	if err := json.Unmarshal(text, &c); err != nil {
		return 0, err
	}
	if err := loadModules(c.Modules); err != nil {
		return 0, err
	}
	if err := switchRoot("/dev/vda"); err != nil {
		return 0, err
	}
	if len(c.Init) > 0 {
		err := unix.Exec(c.Init[0], c.Init, []string{"TERM=dumb"})
		return 0, fmt.Errorf("execve %s: %w", c.Init[0], err)
	}
	if err := mountAll(); err != nil {
		return 0, err
	}
	if err := mountCgroups(c.Cgroup); err != nil {
		return 0, err
	}
	if err := linkUp("lo"); err != nil {
		return 0, err
	}
	if err := unix.Sethostname([]byte("kit-vm")); err != nil {
		return 0, err
	}
	return c.start()
}

func loadModules(names []string) error {
	for _, name := range names {
		f, err := os.Open(filepath.Join("/", ModuleDir, name))
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(f.Fd()), "", 0)
		f.Close()
		// Some are for hardware that this machine has not.
		if err != nil && !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENODEV) {
			fmt.Printf("init: module %s: %v\n", name, err)
		}
	}
	return nil
}

// start runs the command and waits for it, reaping all orphans.
func (c Config) start() (status int, err error) {
	cmd := exec.Command(c.Command[0], c.Command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stdout
	cmd.Dir = c.Dir
	cmd.Env = append([]string{
		"PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
	}, c.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if c.UID != 0 {
		id := uint32(c.UID)
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: id, Gid: id}
	}
	if c.Rows != 0 {
		console, err := c.terminal()
		if err != nil {
			return 0, err
		}
		cmd.Stdin, cmd.Stdout, cmd.Stderr = console, console, console
		cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	for {
		var ended unix.WaitStatus
		pid, err := unix.Wait4(-1, &ended, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if pid != cmd.Process.Pid {
			continue
		}
		if ended.Signaled() {
			return 128 + int(ended.Signal()), nil
		}
		return ended.ExitStatus(), nil
	}
}
