//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A start is one way to run a command, and how long true took with it each time.
type start struct {
	Name   string
	kind   kind
	args   func(payload ...string) []string
	room   bool // it is run in the room
	bridge bool // another container holds the bridge meanwhile
	waits  bool // its memory is measured, too, while the command waits

	true         []string // the command for true
	hot, settled []time.Duration
	Peak         float64  // MiB, of the largest of its processes
	Waiting      []memory // of each of its processes but the command's
	Err          error    // why it fails here
}

// Worked tells that it was measured.
func (s *start) Worked() bool { return s.Err == nil && s.hot != nil && s.settled != nil }

// HotSpread is that of the runs back to back.
func (s *start) HotSpread() spread { return spreadOf(s.hot) }

// SettledSpread is that of the runs after a pause.
func (s *start) SettledSpread() spread { return spreadOf(s.settled) }

// Memory is that of all of its processes while the command waits.
func (s *start) Memory() (all memory) {
	for _, m := range s.Waiting {
		all.Proportional += m.Proportional
		all.Anonymous += m.Anonymous
	}
	return all
}

// A kind is how a row looks like in the picture.
type kind string

const (
	other    kind = "other"
	untraced kind = "kit"
	traced   kind = "traced"
)

// starts are the ways that this machine has; missing are the tools that it has not.
func (l *lab) starts() (list []*start, missing []string) {
	add := func(kind kind, name string, args func(payload ...string) []string) *start {
		s := &start{Name: name, kind: kind, args: args}
		list = append(list, s)
		return s
	}
	before := func(words ...string) func(payload ...string) []string {
		return func(payload ...string) []string { return append(words, payload...) }
	}
	add(other, "fork and exec", func(payload ...string) []string {
		return append([]string{filepath.Join(l.root, payload[0])}, payload[1:]...)
	})
	add(other, "chroot", before("chroot", l.root))
	add(other, "unshare and chroot", before("unshare", "--mount", "--pid", "--uts", "--ipc",
		"--fork", "--root", l.root))
	kit := func(kind kind, name string, n int, flags ...string) *start {
		return add(kind, name, func(payload ...string) []string { return l.step(n, payload, flags...) })
	}
	for n := 1; n <= 6; n++ {
		kit(untraced, fmt.Sprintf("kit step %d", n), n, "--trace=off").waits = n == 2 || n == 6
	}
	kit(untraced, "kit step 6, --net=none", 6, "--trace=off", "--net=none")
	for n := 5; n <= 6; n++ {
		kit(untraced, fmt.Sprintf("kit step %d, bridge there", n), n, "--trace=off").bridge = true
	}
	for n := 1; n <= 6; n++ {
		s := kit(traced, fmt.Sprintf("kit step %d, traced", n), n, "--trace-file", os.DevNull)
		s.waits = n == 2 || n == 6
	}
	return append(list, l.peers(&missing)...), missing
}

// peers are the other tools.
func (l *lab) peers(missing *[]string) (list []*start) {
	add := func(tool string, s *start) {
		if _, err := exec.LookPath(tool); err != nil {
			*missing = append(*missing, s.Name)
			return
		}
		s.kind = other
		list = append(list, s)
	}
	add("strace", &start{Name: "strace -f kit step 6", args: func(payload ...string) []string {
		return append([]string{"strace", "-f", "-o", os.DevNull}, l.step(6, payload, "--trace=off")...)
	}})
	add("bwrap", &start{Name: "bubblewrap", waits: true, args: func(payload ...string) []string {
		return l.bubblewrap(payload)
	}})
	for _, runtime := range []string{"crun", "runc"} {
		add(runtime, &start{
			Name: runtime, waits: true, room: runtime == "crun",
			args: func(payload ...string) []string { return l.oci(runtime, payload) },
		})
	}
	podman := func(network string) func(payload ...string) []string {
		return func(payload ...string) []string { return l.podman(network, l.root, payload) }
	}
	add("podman", &start{Name: "podman", waits: true, room: true, args: podman("none")})
	add("podman", &start{Name: "podman, its bridge", room: true, args: podman("podman")})
	add("systemd-nspawn", &start{
		Name: "systemd-nspawn", waits: true, room: true,
		args: func(payload ...string) []string { return l.nspawn(payload) },
	})
	return list
}

// measure runs all in turn, after one run each that is not counted, and one for the
// memory. Who fails is left out from then on, and the page says so.
func (l *lab) measure(list []*start, rounds, settled int, settle time.Duration) {
	for _, s := range list {
		s.true = s.args("/bin/true")
		l.once(s, func() (err error) { s.Peak, err = l.peak(s); return err })
	}
	for i := range rounds {
		l.say("start to exit, back to back: round %d of %d", i+1, rounds)
		for _, s := range list {
			l.once(s, func() error { return l.took(s, &s.hot, 0) })
		}
	}
	for i := range settled {
		l.say("start to exit, after %s each: round %d of %d", settle, i+1, settled)
		for _, s := range list {
			l.once(s, func() error { return l.took(s, &s.settled, settle) })
		}
	}
}

// once calls f for a start that has not failed yet.
func (l *lab) once(s *start, f func() error) {
	if s.Err != nil {
		return
	}
	if s.bridge {
		release, err := l.hold()
		if err != nil {
			s.Err = err
			return
		}
		defer release()
	}
	if s.Err = f(); s.Err != nil {
		l.say("%s fails: %v", s.Name, s.Err)
	}
}

// took is one run, from start to exit.
func (l *lab) took(s *start, times *[]time.Duration, settle time.Duration) error {
	return l.inside(s, func() error {
		time.Sleep(settle)
		cmd := l.command(s.true)
		begin := time.Now()
		err := cmd.Run()
		*times = append(*times, time.Since(begin))
		return l.explained(err)
	})
}

// peak is one run, and the memory of the largest of its processes in MiB, those excepted
// that it does not wait for.
func (l *lab) peak(s *start) (mib float64, err error) {
	err = l.inside(s, func() error {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		defer r.Close()
		path, err := exec.LookPath(s.true[0])
		if err != nil {
			return err
		}
		cmd := l.command(append([]string{l.empty, path}, s.true[1:]...))
		cmd.ExtraFiles = []*os.File{w}
		err = cmd.Run()
		w.Close()
		if err != nil {
			return l.explained(err)
		}
		answer := make([]byte, 20)
		n, err := r.Read(answer)
		if err != nil {
			return err
		}
		kib, err := strconv.Atoi(string(answer[:n]))
		mib = float64(kib) / 1024
		return err
	})
	return mib, err
}

// inside calls f where the start is to run, and waits for what it has left behind.
func (l *lab) inside(s *start, f func() error) error {
	if s.true == nil {
		return fmt.Errorf("no bundle: %w", os.ErrNotExist)
	}
	if !s.room {
		return f()
	}
	err := l.room.do(f)
	reapAll()
	return err
}

// command says what it has to say into a file: nobody waits for the end of a pipe, which a
// process that stays would keep open.
func (l *lab) command(args []string) *exec.Cmd {
	if l.ended.Load() {
		select {} // no more of them: the lab is being closed
	}
	_ = l.told.Truncate(0)
	_, _ = l.told.Seek(0, 0)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = l.told
	return cmd
}

// explained adds to an error what the command has said.
func (l *lab) explained(err error) error {
	if err == nil {
		return nil
	}
	said, _ := os.ReadFile(l.told.Name())
	return fmt.Errorf("%w: %.300s", err, strings.Join(strings.Fields(string(said)), " "))
}
