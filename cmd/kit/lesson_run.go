//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/lesson"
)

// A reader works through a lesson at a terminal: each command waits for a key.
type reader struct {
	t      *lesson.Text
	keys   *bufio.Reader
	dir    string // where the commands run, and kit is found
	shells map[int]*lesson.Shell

	signals chan os.Signal // Ctrl-C is for the command that runs; at a prompt it ends the lesson
}

func newReader(t *lesson.Text) (*reader, error) {
	dir, err := os.MkdirTemp("", "kit-lesson")
	if err != nil {
		return nil, err
	}
	r := &reader{
		t, bufio.NewReader(os.Stdin), dir, map[int]*lesson.Shell{}, make(chan os.Signal, 1),
	}
	signal.Notify(r.signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(dir, "kit"))
	}
	if err != nil {
		r.close()
	}
	return r, err
}

// session runs a session, command by command.
func (r *reader) session(s *lesson.Session) error {
	if s.Root && os.Geteuid() != 0 {
		return r.say("(this needs root, and is left out: sudo kit lesson N --run)")
	}
	for _, tool := range s.Tools {
		if _, err := exec.LookPath(tool); err != nil {
			return r.say("(this needs " + tool + ", which is not here, and is left out)")
		}
	}
	sh, err := r.shell(s.Terminal)
	if err != nil {
		return err
	}
	if s.Terminal > 1 {
		if err := r.say(fmt.Sprintf("(terminal %d)", s.Terminal)); err != nil {
			return err
		}
	}
	for _, c := range s.Commands {
		if _, err := fmt.Fprintf(r.t.Out, "%s %s", c.Prompt, c.Line); err != nil {
			return err
		}
		if err := r.wait(); err != nil {
			return err
		}
		if _, err := sh.Run(c.Line, r.t.Out, time.Hour); err != nil {
			return err
		}
	}
	return nil
}

// wait waits for Enter; q, the end of the input and Ctrl-C are for leaving.
func (r *reader) wait() error {
	select {
	case s := <-r.signals:
		if s != unix.SIGINT {
			return errQuit
		}
		// That was for the last command.
	default:
	}
	answered := make(chan error, 1)
	go func() {
		answer, err := r.keys.ReadString('\n')
		if err != nil || answer == "q\n" {
			err = errQuit
		}
		answered <- err
	}()
	select {
	case err := <-answered:
		return err
	case <-r.signals:
		return errQuit
	}
}

func (r *reader) say(text string) error {
	_, err := fmt.Fprintln(r.t.Out, text)
	return err
}

// shell is that of a terminal of the lesson, started when it is first typed in.
func (r *reader) shell(n int) (*lesson.Shell, error) {
	if r.shells[n] == nil {
		env := append(os.Environ(), "PATH="+r.dir+":"+os.Getenv("PATH"))
		s, err := lesson.StartShell(r.dir, env)
		if err != nil {
			return nil, err
		}
		r.shells[n] = s
	}
	return r.shells[n], nil
}

func (r *reader) close() {
	signal.Stop(r.signals)
	for _, s := range r.shells {
		s.Close()
	}
	os.RemoveAll(r.dir)
}
