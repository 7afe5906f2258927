package state

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"
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

// Has tells whether a capability is in the effective set.
func (s *Status) Has(capability string) bool {
	set, err := strconv.ParseUint(s[6], 16, 64)
	return err == nil && slices.Contains(strings.Fields(syscalls.CapabilityList(set)), capability)
}

// Diff tells which lines have changed, capabilities by name.
func (s *Status) Diff(after *Status, tid int) []Change {
	var changes []Change
	for i, name := range lines {
		if s[i] == after[i] || name == "NStgid" || s[0] == "" || after[0] == "" {
			continue
		}
		what := Proc(tid, "status") + " " + name
		changes = append(changes, Change{
			what, statusText(name, s[i]), statusText(name, after[i]), inShort(name, s[i], after[i]),
		})
	}
	return changes
}

// inShort tells which capabilities a set has lost and gained.
func inShort(name, before, after string) string {
	was, err := strconv.ParseUint(before, 16, 64)
	now, err2 := strconv.ParseUint(after, 16, 64)
	if !strings.HasPrefix(name, "Cap") || err != nil || err2 != nil {
		return ""
	}
	lost, gained := was&^now, now&^was
	var words []string
	switch {
	case lost == 0:
	case now == 0:
		words = append(words, "lost all")
	case bits.OnesCount64(now) < bits.OnesCount64(lost):
		words = append(words, fmt.Sprintf("lost %d, has %d: %s",
			bits.OnesCount64(lost), bits.OnesCount64(now), syscalls.CapabilityList(now)))
	default:
		words = append(words, "lost "+syscalls.CapabilityList(lost))
	}
	if gained != 0 {
		words = append(words, "gained "+syscalls.Capabilities(gained))
	}
	return strings.Join(words, "; ")
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
