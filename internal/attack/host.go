package attack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/elfdep"
	"github.com/containerkit/kit/internal/lab"
)

// hostName is what the stand-in host is called.
const hostName = "stand-in"

// A Host is a stand-in for the machine: a process in new namespaces of all kinds that
// matter, which plays the host to the containers that it starts. What an attack on
// "the host" can reach is this, and it goes away with the process.
type Host struct {
	plan   Plan
	target Target
	kit    string // a copy of the program, to start containers with
	victim int
	last   Outcome // of the attack that has just ended

	ctx       context.Context // ends with a signal
	traceFile string          // where the next run is to be traced, or ""
}

// A Plan is what a stand-in host is to do.
type Plan struct {
	Dir     string            // an empty directory, to be covered by the host's own
	Machine map[string]uint64 // the namespaces that are not to be touched: see Machine
	Attacks []string
	Places  []string // where they are made: see Places
	Trace   bool     // find in a trace the call that stops each
}

// A Result is how one attack ended in one place.
type Result struct {
	Attack string `json:"attack"`
	Place  string `json:"place"`
	Outcome
	Evidence *Evidence `json:"evidence,omitempty"`
}

func (h *Host) root() string { return filepath.Join(h.plan.Dir, "root") }

// copyKit copies the program, which runs from such a copy already.
func (h *Host) copyKit(to string, mode os.FileMode) error {
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer from.Close()
	_ = os.Remove(to)
	file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	if err == nil {
		err = file.Chmod(mode)
	}
	if e := file.Close(); err == nil {
		err = e
	}
	return err
}

// Enter makes the place in which the stand-in host works, for a process that has been
// started in new namespaces (mnt, pid, uts, ipc, net), and returns the program that is
// to be executed there: a copy of this one.
func Enter(plan Plan) (kit string, err error) {
	if err := plan.checkPlace(); err != nil {
		return "", err
	}
	// Shared, as systemd makes it, but with nobody outside.
	for _, propagation := range []uintptr{unix.MS_PRIVATE, unix.MS_SHARED} {
		if err := unix.Mount("", "/", "", unix.MS_REC|propagation, ""); err != nil {
			return "", fmt.Errorf("mount /: %w", err)
		}
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return "", fmt.Errorf("mount proc on /proc: %w", err)
	}
	if err := unix.Mount("stand-in", plan.Dir, "tmpfs", 0, "mode=755,size=256m"); err != nil {
		return "", fmt.Errorf("mount tmpfs on %s: %w", plan.Dir, err)
	}
	kit = filepath.Join(plan.Dir, "kit")
	return kit, (&Host{plan: plan}).copyKit(kit, 0o755)
}

// checkPlace refuses to set up anything but in namespaces that were made for it: the
// first process of its PID namespace, in none that the machine was born with, and in
// none of those that whoever made the plan has named, each of which must be named.
func (p Plan) checkPlace() error {
	if os.Getpid() != 1 || p.Dir == "" {
		return ErrUnsafe
	}
	own, err := Machine()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsafe, err)
	}
	for _, kind := range namespaceKinds {
		if machines, ok := p.Machine[kind]; !ok || own[kind] == machines || initial(kind, own[kind]) {
			return fmt.Errorf("%w: this is the machine's own %s namespace", ErrUnsafe, kind)
		}
	}
	return nil
}

// NewHost furnishes the stand-in host: files, a process, a key, a segment, services.
func NewHost(plan Plan, secret string) (*Host, error) {
	if err := plan.checkPlace(); err != nil {
		return nil, err
	}
	runtime.LockOSThread() // the session keyring belongs to a thread, and to its children
	h := &Host{plan: plan, kit: filepath.Join(plan.Dir, "kit")}
	h.target = Target{
		Machine: plan.Machine, Secret: secret, Dir: plan.Dir,
		File: filepath.Join(plan.Dir, "secret"), Socket: "kit-attack", ShmKey: 0x6b6974,
	}
	for _, f := range []func() error{
		func() error { return unix.Sethostname([]byte(hostName)) },
		h.makeFiles, h.makeKey, h.makeSegment, h.makeNetwork,
	} {
		if err := f(); err != nil {
			return nil, fmt.Errorf("stand-in host: %w", err)
		}
	}
	h.target.Device = h.chooseDevice()
	return h, nil
}

// makeFiles makes the root file system that all containers start from: nothing but
// kit, and the directories that they expect.
func (h *Host) makeFiles() error {
	for _, dir := range []string{
		"state", "tmp", "volume", "root/bin", "root/etc", "root/proc", "root/sys", "root/dev",
		"root/tmp", "root/usr", "root/attack", "root/root", "root/volume",
	} {
		if err := os.MkdirAll(filepath.Join(h.plan.Dir, dir), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Join(h.plan.Dir, "state"), 0o700); err != nil {
		return err
	}
	if err := os.Chmod(filepath.Join(h.root(), "tmp"), 0o777|os.ModeSticky); err != nil {
		return err
	}
	for path, text := range map[string]string{
		"secret": h.target.Secret, "root/etc/passwd": "root:x:0:0::/root:/bin/sh\n",
		"root/etc/group": "root:x:0:\n", "root/etc/issue": "as it was\n",
	} {
		if err := os.WriteFile(filepath.Join(h.plan.Dir, path), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := h.copyKit(filepath.Join(h.root(), "bin/kit"), 0o755); err != nil {
		return err
	}
	if err := h.copyLibraries(); err != nil {
		return err
	}
	if err := h.copyKit(h.root()+setuidProgram, 0o755|os.ModeSetuid); err != nil {
		return err
	}
	handle, _, err := unix.NameToHandleAt(unix.AT_FDCWD, h.target.File, 0)
	if err == nil {
		h.target.Handle = Handle{handle.Type(), handle.Bytes()}
	}
	return nil
}

// copyLibraries copies what kit needs besides itself, where it was not built static.
func (h *Host) copyLibraries() error {
	files, _, err := elfdep.Closure("/", []string{h.kit})
	if err != nil {
		return err
	}
	for _, file := range files {
		to := filepath.Join(h.root(), file)
		if file == h.kit || strings.HasPrefix(h.kit, file+"/") {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		info, err := os.Lstat(file)
		if err != nil {
			return err
		}
		if info.Mode()&os.ModeSymlink != 0 {
			target, err := os.Readlink(file)
			if err == nil {
				err = os.Symlink(target, to)
			}
			if err != nil {
				return err
			}
			continue
		}
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(to, text, 0o755)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// makeKey puts the secret into a session keyring of the host's own.
func (h *Host) makeKey() error {
	if _, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0); err != nil {
		return nil // no keys here: the attack will say so
	}
	_, _ = unix.AddKey("user", keyName, []byte(h.target.Secret), unix.KEY_SPEC_SESSION_KEYRING)
	return nil
}

func (h *Host) makeSegment() error {
	id, err := unix.SysvShmGet(h.target.ShmKey, 4096, unix.IPC_CREAT|unix.IPC_EXCL|0o600)
	if err != nil {
		return fmt.Errorf("shmget: %w", err)
	}
	memory, err := unix.SysvShmAttach(id, 0, 0)
	if err != nil {
		return fmt.Errorf("shmat: %w", err)
	}
	copy(memory, h.target.Secret)
	return nil
}

// makeNetwork switches lo on, starts two services that tell the secret to all who
// come, and sends it in a packet again and again.
func (h *Host) makeNetwork() error {
	lo := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: "lo"}}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("link lo up: %w", err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	local, err := net.Listen("unix", "@"+h.target.Socket)
	if err != nil {
		return err
	}
	h.target.Service = tcp.Addr().(*net.TCPAddr).Port
	h.target.Port = h.target.Service - 1
	go h.serve(tcp)
	go h.serve(local)
	go h.whisper()
	return nil
}

func (h *Host) serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte(h.target.Secret))
		conn.Close()
	}
}

func (h *Host) whisper() {
	conn, err := net.Dial("udp", "127.0.0.1:9")
	if err != nil {
		return
	}
	for {
		_, _ = conn.Write([]byte(h.target.Secret)) // refused: nobody listens
		time.Sleep(20 * time.Millisecond)
	}
}

// victimNumber is below the number of any victim: no container has as many processes,
// so that the number never means somebody else there.
const victimNumber = 400

// ensureVictim starts the process that is to be attacked, unless it runs.
func (h *Host) ensureVictim() error {
	if h.victim != 0 && h.victimLives() {
		return nil
	}
	if err := skipNumbers(); err != nil {
		return err
	}
	process, err := os.StartProcess(h.kit, []string{"kit", "attack", "victim"}, &os.ProcAttr{})
	if err != nil {
		return err
	}
	h.victim, h.target.Victim = process.Pid, process.Pid
	if h.victim <= victimNumber {
		return fmt.Errorf("fork: the victim is process %d", h.victim)
	}
	return nil
}

// skipNumbers lets the next process have a number above victimNumber.
func skipNumbers() error {
	if os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte("30000"), 0) == nil {
		return nil
	}
	// A kernel that cannot be told (CONFIG_CHECKPOINT_RESTORE): use them up.
	for {
		pid, errno := lab.Idle(uintptr(unix.SIGCHLD), 0)
		if errno != 0 {
			return fmt.Errorf("fork: %w", errno)
		}
		if _, err := unix.Wait4(pid, nil, 0, nil); err != nil {
			return fmt.Errorf("wait4 %d: %w", pid, err)
		}
		if pid > victimNumber {
			return nil
		}
	}
}

// victimLives tells that the victim has not ended, and takes note where it has.
func (h *Host) victimLives() bool {
	deadline := time.Now().Add(time.Second)
	for {
		pid, err := unix.Wait4(h.victim, nil, unix.WNOHANG, nil)
		if err != nil || pid == h.victim {
			return false
		}
		if h.last.State != Works || time.Now().After(deadline) {
			return true
		}
		time.Sleep(time.Millisecond)
	}
}

// chooseDevice looks for a device that the host itself can open: a disk, else
// another that only root may have.
func (h *Host) chooseDevice() Device {
	list := disks()
	list = append(list,
		Device{"fuse", unix.S_IFCHR, 10, 229}, Device{"kmsg", unix.S_IFCHR, 1, 11})
	for _, d := range list {
		t := h.target
		t.Root, t.Device = h.root(), d
		if _, err := openDevice(&t); err == nil {
			return d
		}
	}
	return list[0]
}

// disks reads /proc/partitions (proc(5)).
func disks() (list []Device) {
	text, _ := os.ReadFile("/proc/partitions")
	for line := range strings.Lines(string(text)) {
		d := Device{Mode: unix.S_IFBLK}
		var blocks uint64
		if n, _ := fmt.Sscan(line, &d.Major, &d.Minor, &blocks, &d.Name); n == 4 {
			list = append(list, d)
		}
	}
	return list
}

// ErrInterrupted is the answer to a signal: the rest of the plan was not done.
var ErrInterrupted = errors.New("interrupted")

// Do makes all attacks of the plan in all its places, and writes a Result to out for
// each, as a line of JSON. A signal ends it, and the attack of the moment.
func (h *Host) Do(out io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	h.ctx = ctx
	e := json.NewEncoder(out)
	for _, name := range h.plan.Attacks {
		a := Find(name)
		if a == nil {
			return fmt.Errorf("attack %s: there is none of that name", name)
		}
		if err := h.do(a, e); err != nil {
			return err
		}
	}
	return nil
}

// do makes one attack in all places. What the host does not allow, no step has stopped.
func (h *Host) do(a *Attack, e *json.Encoder) error {
	host, traced := Outcome{}, !h.plan.Trace
	for _, place := range h.plan.Places {
		r := Result{Attack: a.Name, Place: place, Outcome: h.attack(a, place)}
		if place == PlaceHost {
			host = r.Outcome
		}
		if host.State == Stopped && r.State == Stopped {
			r.State = NotRun
		}
		if step, err := strconv.Atoi(place); err == nil && r.State == Stopped && !traced {
			traced = true
			r.Evidence, _ = h.trace(a, step) // without a trace there is less to tell
		}
		if h.ctx.Err() != nil {
			return ErrInterrupted
		}
		if err := e.Encode(r); err != nil {
			return err
		}
	}
	return nil
}
