package container

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// A Report is what a process of kit's has to tell the user when it has ended. It goes
// from process to process through the gates, and is told once, after all else.
type Report struct {
	Errors []*Told  `json:"errors,omitempty"`
	Notes  []string `json:"notes,omitempty"`
}

// A Told is an error of another process of kit's, in the words that were found there,
// where what the hints are about could be looked at.
type Told struct {
	Text  string   `json:"text"`
	Hints []string `json:"hints,omitempty"`
}

func (t *Told) Error() string { return t.Text }

// Err is the report's errors as one, nil for none.
func (r Report) Err() error {
	var list []error
	for _, t := range r.Errors {
		list = append(list, t)
	}
	return errors.Join(list...)
}

// Lines are the report's errors and hints, each a line of its own.
func (r Report) Lines() (text string, hints []string) {
	var texts []string
	for _, t := range r.Errors {
		texts = append(texts, t.Text)
		hints = append(hints, t.Hints...)
	}
	return strings.Join(texts, "\n"), hints
}

// maxReport is what the gate takes at once, whether somebody reads or not.
const maxReport = 64 << 10

// Tell hands a report to whoever has started this process, to be told when all has
// ended. It returns false where nobody can take it: tell it here, then.
func (r *Result) Tell(report Report) bool {
	if len(report.Errors)+len(report.Notes) == 0 {
		return true
	}
	data, err := json.Marshal(report)
	if err != nil || r.gate == nil || len(data) > maxReport {
		return false
	}
	const flags = unix.MSG_NOSIGNAL | unix.MSG_DONTWAIT
	// Who has started us tells the user, last of all. The first byte is for one who
	// still waits for an open file.
	return unix.Send(r.gate.fd, append([]byte{reports}, data...), flags) == nil
}

// told reads what a process that has ended has said through the gate.
func (g *gate) told() (r Report) {
	buf := make([]byte, maxReport+1)
	// Its last words, if there are any: all of them are there by now.
	n, _, err := unix.Recvfrom(g.fd, buf, unix.MSG_DONTWAIT)
	for errors.Is(err, unix.EINTR) {
		// A signal came in between.
		n, _, err = unix.Recvfrom(g.fd, buf, unix.MSG_DONTWAIT)
	}
	if err != nil {
		return r
	}
	// The bytes before it are knocks, and what tells it from them.
	if json.Unmarshal(bytes.TrimLeft(buf[:n], "\x00\x01"), &r) != nil {
		return Report{}
	}
	return r
}

// waitTold is wait for the process behind a gate: an error of its is returned as one
// of ours, with the exit status that it has chosen.
func waitTold(pid int, g *gate) (exit int, err error) {
	exit, err = wait(pid)
	if err != nil {
		end(pid) // what is made for it is about to be removed
		return exit, &Error{Err: err}
	}
	if exit >= 125 && exit <= 127 {
		err = g.told().Err()
	}
	return exit, err
}

// cause is why a process has not let us finish with it: what it has said itself, if it
// has ended before we were through, or else err.
func (g *gate) cause(err error) error {
	if told := g.told().Err(); told != nil {
		return told
	}
	return err
}
