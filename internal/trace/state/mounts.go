package state

import (
	"bufio"
	"bytes"
	"os"
	"strings"
)

// Mounts are the mounts that a process sees, by the kernel's number of each
// (/proc/PID/mountinfo in proc_pid_mountinfo(5)).
type Mounts struct {
	order []string
	lines map[string]Mount
}

// A Mount is one of them.
type Mount struct {
	Point       string
	Text        string // type, source, the part of it, options
	Propagation string // shared, slave, unbindable or private
}

func (m Mount) String() string { return m.Text + ", " + m.Propagation }

// ReadMounts reads those of the thread tid; none when they may not be read.
func ReadMounts(tid int) *Mounts {
	text, _ := os.ReadFile(Proc(tid, "mountinfo"))
	return parseMounts(text)
}

func parseMounts(text []byte) *Mounts {
	m := &Mounts{lines: map[string]Mount{}}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		id, mount, ok := parseMount(s.Text())
		if ok {
			m.order = append(m.order, id)
			m.lines[id] = mount
		}
	}
	return m
}

// parseMount takes a line apart:
// ID parent major:minor root point options optional... - type source superoptions.
func parseMount(line string) (id string, m Mount, ok bool) {
	head, tail, _ := strings.Cut(line, " - ")
	f, t := strings.Fields(head), strings.Fields(tail)
	if len(f) < 6 || len(t) < 2 {
		return "", Mount{}, false
	}
	m = Mount{Point: unescape(f[4]), Propagation: "private"}
	if len(f) > 6 {
		m.Propagation = strings.Join(f[6:], " ")
	}
	m.Text = t[0]
	if t[1] != t[0] && t[1] != "none" {
		m.Text += " " + unescape(t[1])
	}
	if f[3] != "/" {
		m.Text += unescape("[" + f[3] + "]")
	}
	m.Text += " " + f[5]
	return f[0], m, true
}

// unescape reads the octal that the kernel writes for white space.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// Diff tells which mounts came, went, moved, or changed their options or their
// propagation.
func (m *Mounts) Diff(after *Mounts) []Change {
	var changes []Change
	for _, id := range m.order {
		old := m.lines[id]
		now, ok := after.lines[id]
		switch {
		case !ok:
			changes = append(changes, Change{What: "mount " + old.Point, Before: old.String()})
		case now.Point != old.Point:
			changes = append(changes, Change{"mount " + now.Text, old.Point, now.Point})
		case now.Text != old.Text:
			changes = append(changes, Change{"mount " + now.Point, old.String(), now.String()})
		case now.Propagation != old.Propagation:
			changes = append(changes, Change{"mount " + now.Point, old.Propagation, now.Propagation})
		}
	}
	for _, id := range after.order {
		if _, ok := m.lines[id]; !ok {
			now := after.lines[id]
			changes = append(changes, Change{What: "mount " + now.Point, After: now.String()})
		}
	}
	return changes
}

// At returns the mount that is uppermost at a path.
func (m *Mounts) At(path string) (top Mount, ok bool) {
	for _, id := range m.order {
		if m.lines[id].Point == path {
			top, ok = m.lines[id], true
		}
	}
	return top, ok
}
