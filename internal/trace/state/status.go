package state

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/containerkit/kit/internal/trace/syscalls"
)

// lines are those of /proc/PID/status that tell what a thread may do
// (proc_pid_status(5)).
var lines = [...]string{
	"Uid", "Gid", "Groups", "NStgid",
	"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
	"NoNewPrivs", "Seccomp", "Seccomp_filters",
}

// Status is what a thread may do.
type Status [len(lines)]string

// ReadStatus reads that of the thread tid.
func ReadStatus(tid int) Status {
	text := read(Proc(tid, "status"))
	return parseStatus(text)
}

func parseStatus(text []byte) (s Status) {
	for len(text) > 0 {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte("\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		for i := range lines {
			if lines[i] == string(name) {
				s[i] = strings.Join(strings.Fields(string(value)), " ")
			}
		}
	}
	return s
}

// PIDs are the process's ids, one for each PID namespace it can be seen in, the
// reader's first and its own last.
func (s *Status) PIDs() []int {
	var pids []int
	for _, f := range strings.Fields(s[3]) {
		pid, _ := strconv.Atoi(f)
		pids = append(pids, pid)
	}
	return pids
}

// Diff tells which lines have changed, capabilities by name.
func (s *Status) Diff(after *Status, tid int) []Change {
	var changes []Change
	for i, name := range lines {
		if s[i] == after[i] || name == "NStgid" || s[0] == "" || after[0] == "" {
			continue
		}
		what := Proc(tid, "status") + " " + name
		changes = append(changes, Change{what, statusText(name, s[i]), statusText(name, after[i])})
	}
	return changes
}

func statusText(name, value string) string {
	if !strings.HasPrefix(name, "Cap") {
		return value
	}
	set, err := strconv.ParseUint(value, 16, 64)
	if err != nil {
		return value
	}
	return syscalls.Capabilities(set)
}
