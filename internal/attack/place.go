package attack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// PlaceHost is no container at all: what cannot be done there, no step has stopped.
const PlaceHost = "host"

// patienceRun is how long one attack may take, with its container.
const patienceRun = 30 * time.Second

// attack makes one attack in one place.
func (h *Host) attack(a *Attack, place string) Outcome {
	o, err := h.try(a, place)
	if err != nil {
		return Outcome{State: NotRun, Call: err.Error()}
	}
	return o
}

func (h *Host) try(a *Attack, place string) (o Outcome, err error) {
	if err := h.ensureVictim(); err != nil {
		return o, err
	}
	verdict := func() error { return nil }
	if a.Watch != nil {
		if verdict, err = a.Watch(h); err != nil {
			return o, err
		}
	}
	o, err = h.run(a, place)
	h.last = o
	if noticed := verdict(); err == nil && o.State == Works && noticed != nil {
		o = outcomeOf("", noticed)
	}
	h.last = Outcome{}
	return o, errors.Join(err, h.tidy())
}

// tidy takes back what an attack may have left on the stand-in host.
func (h *Host) tidy() error {
	for _, dir := range []string{h.root() + "/attack", "/attack"} {
		if mounted, _ := mountinfo.Mounted(dir); !mounted {
			continue
		}
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("umount %s: %w", dir, err)
		}
	}
	return nil
}

// run starts the attack in its place, and reads what it says.
func (h *Host) run(a *Attack, place string) (Outcome, error) {
	ctx, cancel := context.WithTimeout(h.ctx, patienceRun)
	defer cancel()
	t := h.target
	if place == PlaceHost {
		t.Root = h.root()
	}
	text, err := json.Marshal(t)
	if err != nil {
		return Outcome{}, err
	}
	argv, err := h.command(a, place, TargetEnv+"="+string(text))
	if err != nil {
		return Outcome{}, err
	}
	var out, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	cmd.Stdout, cmd.Stderr = &out, &stderr
	cmd.Env = append(h.env(), TargetEnv+"="+string(text))
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	closeAll, err := h.equip(a, cmd)
	if err != nil {
		return Outcome{}, err
	}
	defer closeAll()
	err = cmd.Run()
	return read(out.Bytes(), stderr.String(), cmd.ProcessState, err)
}

func (h *Host) env() []string {
	dir := h.plan.Dir
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"KIT_STATE=" + dir + "/state", "KIT_CACHE=" + dir + "/tmp", "TMPDIR=" + dir + "/tmp",
		"HOME=" + dir + "/tmp", "XDG_RUNTIME_DIR=" + dir + "/tmp",
	}
}

// equip gives the attack what it needs besides its container.
func (h *Host) equip(a *Attack, cmd *exec.Cmd) (closeAll func(), err error) {
	closeAll = func() {}
	if a.leak {
		dir, err := os.Open(h.plan.Dir)
		if err != nil {
			return nil, err
		}
		cmd.ExtraFiles = []*os.File{dir}
		closeAll = func() { dir.Close() }
	}
	if a.terminal {
		master, terminal, err := openTerminal()
		if err != nil {
			return nil, err
		}
		cmd.Stdin = terminal
		cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true
		closeAll = func() { master.Close(); terminal.Close() }
	}
	return closeAll, nil
}

// openTerminal opens a new pseudoterminal (pty(7)).
func openTerminal() (master, terminal *os.File, err error) {
	if master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	if err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		master.Close()
		return nil, nil, fmt.Errorf("ioctl TIOCSPTLCK: %w", err)
	}
	fd, err := unix.IoctlRetInt(int(master.Fd()), unix.TIOCGPTPEER)
	if err != nil || fd < 0 {
		n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
		if err == nil {
			terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
		}
		if err != nil {
			master.Close()
		}
		return master, terminal, err
	}
	return master, os.NewFile(uintptr(fd), "terminal"), nil
}

// command is the command line that makes the attack.
func (h *Host) command(a *Attack, place, env string) ([]string, error) {
	attack := []string{"/bin/kit", "attack", "run", a.Name}
	if place == PlaceHost {
		return append([]string{h.root() + attack[0]}, attack[1:]...), nil
	}
	if step, err := strconv.Atoi(place); err == nil {
		argv := append([]string{h.kit}, h.stepFlags(a, step)...)
		return append(append(argv, "-e", env, "--"), attack...), nil
	}
	r := findRuntime(place)
	if r == nil {
		return nil, fmt.Errorf("%s: kit attack does not know it", place)
	}
	if r.not != "" {
		return nil, fmt.Errorf("%s: %s", place, r.not)
	}
	if _, err := exec.LookPath(place); err != nil {
		return nil, fmt.Errorf("%s: it is not installed", place)
	}
	return r.command(h, a, attack, env)
}

// stepFlags are those of kit step for an attack at that step.
func (h *Host) stepFlags(a *Attack, step int) []string {
	argv := append([]string{"step", strconv.Itoa(step), "--rootfs", h.root()}, h.traceFlags()...)
	for from, flags := range a.Flags {
		if step < from {
			continue
		}
		for _, f := range flags {
			argv = append(argv, strings.Replace(f, "VOLUME", filepath.Join(h.plan.Dir, "volume"), 1))
		}
	}
	return argv
}

// read makes an outcome of what an attack wrote, and of how it ended.
func read(out []byte, stderr string, state *os.ProcessState, err error) (o Outcome, _ error) {
	if json.Unmarshal(out, &o) == nil && o.State != "" {
		return o, nil
	}
	if state == nil {
		return o, err
	}
	status := state.Sys().(syscall.WaitStatus)
	if status.ExitStatus() == 128+int(unix.SIGKILL) || status.Signal() == unix.SIGKILL {
		return Outcome{State: Stopped, Call: "killed by SIGKILL: the OOM killer", Errno: "SIGKILL"}, nil
	}
	line, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	line = strings.TrimPrefix(line, "kit: ")
	if line == "" {
		line = fmt.Sprintf("no answer: %v", err)
	}
	return o, errors.New(line)
}
