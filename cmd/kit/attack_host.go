//go:build linux

package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/attack"
)

// planEnv brings the plan to the stand-in host.
const planEnv = "KIT_ATTACK_PLAN"

// makeAttacks starts a stand-in host, which makes the attacks, and calls each with
// every result as it comes.
func makeAttacks(plan attack.Plan, each func(attack.Result)) (err error) {
	if plan.Machine, err = attack.Machine(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kit-attack-")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	if plan.Dir, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	text, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	cmd := exec.Command("/proc/self/exe", "attack", "stand-in")
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), planEnv+"="+string(text))
	cmd.Stderr = &stderr
	cmd.SysProcAttr = standInAttr()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	// It ends with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("clone the stand-in host: %w", err)
	}
	defer passSignals(cmd.Process)()
	bad := readResults(out, each)
	if err := cmd.Wait(); err != nil {
		line, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		return fmt.Errorf("%s (%w)", strings.TrimPrefix(line, "kit: "), err)
	}
	return bad
}

// standInAttr starts a process in namespaces of its own, and, where we are not root,
// as root of a new user namespace.
func standInAttr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUTS |
			unix.CLONE_NEWIPC | unix.CLONE_NEWNET,
		Pdeathsig: unix.SIGKILL,
		Setpgid:   true,
	}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

// passSignals lets the stand-in host end what it is at when we are to end.
func passSignals(p *os.Process) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	go func() {
		for s := range signals {
			_ = p.Signal(s)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}

func readResults(r io.Reader, each func(attack.Result)) error {
	d := json.NewDecoder(r)
	for {
		var result attack.Result
		err := d.Decode(&result)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the stand-in host: %w", err)
		}
		each(result)
	}
}

// standIn is the process of the stand-in host. It begins twice: once as the program
// that was started, and then as a copy on its own disk.
func standIn(out io.Writer) error {
	var plan attack.Plan
	text := os.Getenv(planEnv)
	if text == "" || json.Unmarshal([]byte(text), &plan) != nil {
		return attack.ErrUnsafe
	}
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil || filepath.Dir(exe) != plan.Dir {
		kit, err := attack.Enter(plan)
		if err != nil {
			return err
		}
		return fmt.Errorf("execve %s: %w", kit, syscall.Exec(kit, os.Args, os.Environ()))
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("prctl PR_SET_PDEATHSIG: %w", err)
	}
	os.Unsetenv(planEnv)
	host, err := attack.NewHost(plan, rand.Text())
	if err != nil {
		return err
	}
	return host.Do(out)
}
