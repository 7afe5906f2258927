//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A held is a container whose command waits until it is let go.
type held struct {
	cmd   *exec.Cmd
	input io.Closer
}

// waiting starts a command that says up, and then waits for the end of its input.
func (l *lab) waiting(args []string) (*held, error) {
	cmd := l.command(args)
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	h := &held{cmd, input}
	l.holding.Store(h, true)
	if _, err := bufio.NewReader(output).ReadString('\n'); err != nil {
		_ = h.release()
		return nil, l.explained(fmt.Errorf("%s: %w", args[0], err))
	}
	return h, nil
}

func (h *held) release() error {
	_ = h.input.Close()
	return h.cmd.Wait()
}

// wait is a command that says up, and waits for the end of its input.
var wait = []string{"/bin/sh", "-c", "echo up; exec cat"}

// hold keeps a container of step 5 alive, and so the bridge, until it is released.
func (l *lab) hold() (release func(), err error) {
	h, err := l.waiting(l.step(5, wait, "--trace=off"))
	if err != nil {
		return nil, err
	}
	return func() { _ = h.release() }, nil
}

// memory is that of each process of a start while its command waits, the command's own
// excepted.
func (l *lab) memory(s *start) (list []memory, err error) {
	err = l.inside(s, func() error {
		h, err := l.waiting(s.args(wait...))
		if err != nil {
			return err
		}
		defer func() { _ = h.release() }()
		time.Sleep(time.Second) // what is not needed any more is given back by then
		all, err := processes()
		if err != nil {
			return err
		}
		list, err = ofTool(all, os.Getpid())
		return err
	})
	return list, err
}

// ofTool is the memory of each process below one, but for those that run cat: the command.
func ofTool(all []process, pid int) (list []memory, err error) {
	for _, p := range all {
		if p.parent != pid || p.state == "Z" {
			continue
		}
		if p.name != "cat" {
			own, err := memoryOf(p.pid)
			if err != nil {
				return nil, err
			}
			list = append(list, own)
		}
		below, err := ofTool(all, p.pid)
		if err != nil {
			return nil, err
		}
		list = append(list, below...)
	}
	return list, nil
}

// reapAll waits until no process is left below us. None is to be when it is called but
// those that a tool has left behind to clean up.
func reapAll() {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if err == unix.ECHILD {
			return
		}
		if pid == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

// A process is a line of the machine's table.
type process struct {
	pid, parent int
	name, state string
}

// processes are all that /proc shows (proc_pid_stat(5)).
func processes() (list []process, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended meanwhile
		}
		head, tail, _ := strings.Cut(string(text), ") ")
		pid, name, _ := strings.Cut(head, " (")
		fields := strings.Fields(tail)
		if len(fields) < 2 {
			continue
		}
		p := process{name: name, state: fields[0]}
		p.pid, _ = strconv.Atoi(pid)
		p.parent, _ = strconv.Atoi(fields[1])
		list = append(list, p)
	}
	return list, err
}

// A memory is that of a process, in MiB: in proportion, so that a page that n processes
// share counts as an n-th, and what of it is anonymous, not a file's (proc_pid_smaps(5)).
type memory struct{ Proportional, Anonymous float64 }

func memoryOf(pid int) (m memory, err error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "smaps_rollup"))
	if err != nil {
		return m, err
	}
	for line := range strings.Lines(string(data)) {
		name, rest, _ := strings.Cut(line, ":")
		into := map[string]*float64{"Pss": &m.Proportional, "Pss_Anon": &m.Anonymous}[name]
		if into == nil {
			continue
		}
		kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
		if err != nil {
			return m, err
		}
		*into = kib / 1024
	}
	if m.Proportional == 0 {
		return m, fmt.Errorf("process %d has no Pss: %w", pid, io.ErrUnexpectedEOF)
	}
	return m, nil
}
