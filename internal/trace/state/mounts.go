package state

import "strings"

// Mounts are the mounts that a process sees: the lines of /proc/PID/mountinfo
// (proc_pid_mountinfo(5)), which are not taken apart before they are asked for.
type Mounts struct{ lines []string }

// A Mount is one of them.
type Mount struct {
	Point       string
	Text        string // type, source, the part of it, options
	Propagation string // shared, slave, unbindable or private
}

func (m Mount) String() string { return m.Text + ", " + m.Propagation }

// ReadMounts reads those of the thread tid; none when they may not be read.
func ReadMounts(tid int) *Mounts { return newMounts(read(Proc(tid, "mountinfo"))) }

func newMounts(text []byte) *Mounts {
	lines := strings.Split(string(text), "\n")
	return &Mounts{lines[:len(lines)-1]}
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
	gone, came := missing(m.lines, after.lines), missing(after.lines, m.lines)
	var changes []Change
	for _, line := range gone {
		id, old, ok := parseMount(line)
		if !ok {
			continue
		}
		now, ok := find(came, id)
		switch {
		case !ok:
			changes = append(changes, Change{What: "mount " + old.Point, Before: old.String()})
		case now.Point != old.Point:
			changes = append(changes, Change{"mount " + now.Text, old.Point, now.Point, ""})
		case now.Text != old.Text:
			changes = append(changes, Change{"mount " + now.Point, old.String(), now.String(), ""})
		case now.Propagation != old.Propagation:
			changes = append(changes, Change{"mount " + now.Point, old.Propagation, now.Propagation, ""})
		}
	}
	for _, line := range came {
		id, now, ok := parseMount(line)
		if _, known := find(gone, id); ok && !known {
			changes = append(changes, Change{What: "mount " + now.Point, After: now.String()})
		}
	}
	return changes
}

// missing are the lines that are not in others.
func missing(lines, others []string) []string {
	known := make(map[string]bool, len(others))
	for _, line := range others {
		known[line] = true
	}
	var out []string
	for _, line := range lines {
		if !known[line] {
			out = append(out, line)
		}
	}
	return out
}

// find looks a mount up by its number.
func find(lines []string, id string) (Mount, bool) {
	for _, line := range lines {
		if strings.HasPrefix(line, id+" ") {
			_, m, ok := parseMount(line)
			return m, ok
		}
	}
	return Mount{}, false
}

// At returns the mount that is uppermost at a path.
func (m *Mounts) At(path string) (top Mount, ok bool) {
	for _, line := range m.lines {
		if _, mount, known := parseMount(line); known && mount.Point == path {
			top, ok = mount, true
		}
	}
	return top, ok
}
