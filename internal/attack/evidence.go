package attack

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Evidence is what a trace says about an attack that a step has stopped.
type Evidence struct {
	Step  int    `json:"step"`            // of which the trace was taken
	Call  string `json:"call"`            // the call of the step that stops the attack
	File  string `json:"file"`            // where it is made
	Line  int    `json:"line"`            //
	Why   string `json:"why"`             // the comment above it
	Tried string `json:"tried,omitempty"` // the attack's own call that failed, as observed
}

// An event is what Evidence needs of a line of a trace (lessons/trace.schema.json).
type event struct {
	Kind, Class, Call, File, Why, Errno string
	Line                                int
	Args                                []struct{ Name, Text string }
}

func (e event) String() string {
	args := make([]string, len(e.Args))
	for i, a := range e.Args {
		args[i] = a.Text
	}
	text := e.Call + "(" + strings.Join(args, ", ") + ")"
	if e.Errno != "" {
		text += " = " + e.Errno
	}
	return text
}

// is tells that the event is a call of the container's making that fits.
func (c Call) is(e event) bool {
	return e.Errno == "" && e.File != "" && strings.HasPrefix(e.Call, c.Name) &&
		strings.Contains(e.String(), c.Arg)
}

// find takes from a trace the evidence of how a was stopped, nil where it has none.
func (a *Attack) find(step int, trace io.Reader) *Evidence {
	var calls, tried []event
	s := bufio.NewScanner(trace)
	s.Buffer(nil, 1<<24) // a scene is a long line
	for s.Scan() {
		var e event
		if json.Unmarshal(s.Bytes(), &e) != nil || e.Kind != "syscall" {
			continue
		}
		if e.Class == "command" {
			if e.Errno != "" {
				tried = append(tried, e)
			}
			continue
		}
		calls = append(calls, e)
	}
	for _, by := range a.By {
		i := slices.IndexFunc(calls, by.is)
		if i < 0 {
			continue
		}
		c := calls[i]
		ev := &Evidence{Step: step, Call: c.String(), File: c.File, Line: c.Line, Why: c.Why}
		if len(tried) > 0 {
			ev.Tried = tried[len(tried)-1].String()
		}
		return ev
	}
	return nil
}

// trace makes the attack once more, at the step that has stopped it, under kit's own
// observer.
func (h *Host) trace(a *Attack, step int) (*Evidence, error) {
	file := filepath.Join(h.plan.Dir, "tmp", "trace.json")
	defer os.Remove(file)
	h.traceFile = file
	_, err := h.run(a, strconv.Itoa(step))
	h.traceFile = ""
	if err != nil {
		return nil, err
	}
	trace, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer trace.Close()
	return a.find(step, trace), nil
}

// traceFlags are those of kit step, with or without a trace.
func (h *Host) traceFlags() []string {
	if h.traceFile == "" {
		return []string{"--trace=off"}
	}
	return []string{"--follow", "--format=json", "--trace-file=" + h.traceFile}
}
