package inspect

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// width is how many columns the text has.
const width = 80

// A page collects the lines of the text form.
type page struct{ strings.Builder }

// WriteText writes the report for people, in 80 columns.
func (r *Report) WriteText(w io.Writer) error {
	var p page
	r.writeProcess(&p)
	if r.self {
		p.heading("namespaces")
	} else {
		p.heading("namespaces (shared: you are in the same one)")
	}
	r.writeNamespaces(&p)
	p.heading("who it is")
	r.writeUsers(&p)
	p.heading("what it may do")
	r.writePowers(&p)
	p.heading("what it may use (cgroup " + orElse(r.CgroupMode, "unknown") + ")")
	r.writeCgroups(&p)
	p.heading("what it sees")
	r.writeFiles(&p)
	_, err := io.WriteString(w, p.String())
	return err
}

func (p *page) heading(text string) { fmt.Fprintf(p, "\n%s\n", text) }

// row writes a key and its value.
func (p *page) row(key, value string) { p.write(fmt.Sprintf("  %-14s", key), value) }

// write writes a text behind a prefix, and below itself where it is too long.
func (p *page) write(prefix, text string) {
	for _, line := range wrap(text, width-len(prefix)) {
		fmt.Fprintln(p, strings.TrimRight(prefix+line, " "))
		prefix = strings.Repeat(" ", len(prefix))
	}
}

// wrap breaks a text at spaces into lines of at most n characters. A longer
// word has a line for itself.
func wrap(text string, n int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last+" "+word) <= n:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// value is what the report has for a key, or why it has nothing.
func (r *Report) value(key, value string) string {
	if why, ok := r.Errors[key]; ok {
		return why
	}
	return value
}

func (r *Report) writeProcess(p *page) {
	who := fmt.Sprintf("process %d, %s, %s", r.Pid, r.Command, r.State)
	if r.Name != "" {
		who = fmt.Sprintf("container %s: %s", r.Name, who)
	}
	fmt.Fprintln(p, who)
	p.row("host name", r.value("hostname", r.Hostname))
	pids := fmt.Sprintf("%d as you see it", r.Pids[0])
	for _, n := range r.Pids[1:] {
		pids += fmt.Sprintf(", %d one PID namespace further in", n)
	}
	p.row("pid", pids)
}

func (r *Report) writeFiles(p *page) {
	p.row("root", r.value("root", r.Root))
	p.row("root mount", r.value("root_mount", r.RootMount.String()))
	p.row("cwd", r.value("cwd", r.Cwd))
	p.row("exe", r.value("exe", r.Exe))
}

// String is like "27: ext4, / of /dev/vda".
func (m *RootMount) String() string {
	if m == nil {
		return "none: its / is no mount point, as chroot leaves it"
	}
	text := fmt.Sprintf("%d: %s, %s of %s", m.ID, m.Type, m.Root, m.Source)
	if m.Shared {
		text += ", shared"
	}
	return text
}
