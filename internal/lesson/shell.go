package lesson

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Shell is a terminal of a lesson: a shell that is given one command at a time. A
// command that is itself a shell, as in a container, is given those that follow.
type Shell struct {
	cmd    *exec.Cmd
	stdin  *os.File
	output chan []byte
}

// StartShell starts a shell in a directory, with the environment.
func StartShell(dir string, env []string) (*Shell, error) {
	s := &Shell{cmd: exec.Command("sh"), output: make(chan []byte, 64)}
	s.cmd.Dir, s.cmd.Env = dir, env
	// A process group of its own: that is what Close ends.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, stdin, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r, w, err := os.Pipe()
	if err != nil {
		stdin.Close()
		return nil, err
	}
	defer w.Close()
	s.stdin, s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = stdin, in, w, w
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, stdin.Close(), r.Close())
	}
	go s.read(r)
	return s, nil
}

// read hands on what the shell prints, until nobody can print any more.
func (s *Shell) read(r *os.File) {
	defer r.Close()
	defer close(s.output)
	in := bufio.NewReader(r)
	for {
		buf := make([]byte, 4096)
		n, err := in.Read(buf)
		if n > 0 {
			s.output <- buf[:n]
		}
		if err != nil {
			return
		}
	}
}

// mark is what the shell prints behind a command: a character that texts do not
// have (ASCII's record separator), the exit status, and the character again.
const mark = '\036'

// Run gives the shell a command, and copies what it prints to w as it comes. It
// returns the exit status, or an error when the command did not end in time.
func (s *Shell) Run(line string, w io.Writer, limit time.Duration) (status int, err error) {
	deadline := time.After(limit)
	if err := s.typeIn(line, deadline); err != nil {
		return 0, err
	}
	var held []byte // from the mark on
	for {
		select {
		case data, ok := <-s.output:
			if !ok {
				return 0, fmt.Errorf("the shell ended in: %s", line)
			}
			held = append(held, data...)
			i := bytes.IndexByte(held, mark)
			if i < 0 {
				i = len(held)
			}
			if _, err := w.Write(held[:i]); err != nil {
				return 0, err
			}
			held = held[i:]
			if end := bytes.LastIndexByte(held, mark); end > 0 {
				return strconv.Atoi(string(held[1:end]))
			}
		case <-deadline:
			return 0, fmt.Errorf("no end after %v: %s", limit, line)
		}
	}
}

// typeIn writes the command, and when it has been read what makes the mark: a shell
// reads all that is there, and leaves nothing to a shell that it starts.
func (s *Shell) typeIn(line string, deadline <-chan time.Time) error {
	if _, err := fmt.Fprintln(s.stdin, line); err != nil {
		return fmt.Errorf("the shell has ended: %w", err)
	}
	for {
		unread, err := unix.IoctlGetInt(int(s.stdin.Fd()), unix.TIOCINQ)
		if err != nil {
			return fmt.Errorf("FIONREAD: %w", err)
		}
		if unread == 0 {
			break
		}
		select {
		case <-deadline:
			return fmt.Errorf("nobody reads the command: %s", line)
		case <-time.After(time.Millisecond):
		}
	}
	if _, err := s.stdin.WriteString("printf '\\036%d\\036' $?\n"); err != nil {
		return fmt.Errorf("the shell has ended: %w", err)
	}
	return nil
}

// Close ends the shell, and what it has started and not ended.
func (s *Shell) Close() {
	s.stdin.Close()
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	_ = s.cmd.Wait()
	for range s.output {
		continue
	}
}
