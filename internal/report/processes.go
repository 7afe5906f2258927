package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/containerkit/kit/internal/inspect"
	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/trace/scene"
)

const leadProcesses = "Each process and the namespaces it is in. A block that spans several " +
	"processes is one namespace that they share: its number, an inode, is the same. Coloured " +
	"is what is not the host's. The owner is the user namespace whose capabilities count for it."

// drawProcesses draws a matrix of processes and kinds of namespace.
func drawProcesses(all []*scene.Scene, at int) *figure {
	list := seen(all[at].Processes)
	if len(list) == 0 {
		return nil
	}
	kinds := kindsOf(list)
	d := &drawing{}
	const left, top, cell, high = 256, 30, 104, 74
	for i, p := range list {
		d.process(p, top+i*high, high)
	}
	for k, kind := range kinds {
		x := left + k*cell
		d.text(x+4, top-10, "head", kind)
		for i := 0; i < len(list); {
			ns, ok := namespaceOf(list[i], kind)
			n := 1
			for i+n < len(list) && ok {
				if next, is := namespaceOf(list[i+n], kind); !is || next.Inode != ns.Inode {
					break
				}
				n++
			}
			if ok {
				d.namespace(x, top+i*high, cell-8, n*high-10, ns, list[0])
			}
			i += n
		}
	}
	return &figure{
		title: "Processes and their namespaces", text: sayProcesses(list),
		drawing: d, table: processTable(list) + namespaceTable(list, kinds),
	}
}

// seen are the processes that could be looked at.
func seen(list []scene.Process) []scene.Process {
	return slices.DeleteFunc(slices.Clone(list), func(p scene.Process) bool { return p.Report == nil })
}

func kindsOf(list []scene.Process) (kinds []string) {
	for _, p := range list {
		for _, ns := range p.Namespaces {
			if !slices.Contains(kinds, ns.Kind) {
				kinds = append(kinds, ns.Kind)
			}
		}
	}
	return kinds
}

func namespaceOf(p scene.Process, kind string) (inspect.Namespace, bool) {
	for _, ns := range p.Namespaces {
		if ns.Kind == kind && ns.Inode != 0 {
			return ns, true
		}
	}
	return inspect.Namespace{}, false
}

// process draws who it is, at the left.
func (d *drawing) process(p scene.Process, y, high int) {
	d.box(1, y, 236, high-10, "card "+class(p.Role))
	d.text(12, y+18, "name", cut(roleName(p.Role)+": "+p.Command, 30))
	d.text(12, y+34, "mono", cut("pid "+pids(p), 30))
	d.text(12, y+50, "dim", cut(fmt.Sprintf("uid %s  %s", ids(p), p.Hostname), 32))
}

// roleName is what a role is, in a word or two.
func roleName(role string) string {
	switch role {
	case "host":
		return "the observer"
	case "kit":
		return "kit"
	case "command":
		return "the command"
	}
	return role
}

// class makes a class name of a word of the record's.
func class(word string) string {
	switch word {
	case "host", "kit", "command":
		return word
	}
	return "other"
}

// namespace draws one namespace, as high as the processes that share it.
func (d *drawing) namespace(x, y, w, h int, ns inspect.Namespace, host scene.Process) {
	style := "ns own"
	if of, ok := namespaceOf(host, ns.Kind); ok && of.Inode == ns.Inode {
		style = "ns shared"
	}
	d.box(x, y, w, h, style)
	d.text(x+8, y+18, "mono", strconv.FormatUint(ns.Inode, 10))
	if ns.Owner != 0 {
		d.text(x+8, y+36, "dim", "owner")
		d.text(x+8, y+50, "dim", strconv.FormatUint(ns.Owner, 10))
	}
}

// pids are those of a process in each namespace, ours first: "4711 (1 inside)".
func pids(p scene.Process) string {
	s := strconv.Itoa(p.Pid)
	if n := len(p.Pids); n > 1 {
		s += fmt.Sprintf(" (%d inside)", p.Pids[n-1])
	}
	return s
}

// ids is the effective user, as we see it and as it sees itself.
func ids(p scene.Process) string {
	uid := p.UIDs[1]
	s := strconv.Itoa(uid)
	if uid < 0 {
		return s
	}
	if in, ok := p.UIDMap.Inside(uint32(uid)); ok && int(in) != uid {
		s += fmt.Sprintf(" (%d inside)", in)
	}
	return s
}

func sayProcesses(list []scene.Process) string {
	host := list[0]
	said := count(len(list), "process", "processes") + "."
	for _, p := range list[1:] {
		var own []string
		for _, ns := range p.Namespaces {
			if of, ok := namespaceOf(host, ns.Kind); ok && ns.Inode != 0 && of.Inode != ns.Inode {
				own = append(own, ns.Kind)
			}
		}
		switch {
		case len(own) == 0:
			said += fmt.Sprintf(" %s has no namespace of its own.", capital(named(p)))
		default:
			said += fmt.Sprintf(" %s is not in the host's %s.", capital(named(p)), strings.Join(own, ", "))
		}
	}
	return said
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// processTable is all that a process is apart from its namespaces.
func processTable(list []scene.Process) markup {
	t := table{{
		"process", "command", "parent", "pids", "state", "host name", "user ids", "group ids",
		"uid map", "gid map", "no new privileges", "seccomp", "root", "working directory", "program",
	}}
	for _, p := range list {
		t = append(t, []string{
			named(p), p.Command, strconv.Itoa(p.Parent), words(p.Pids), p.State, p.Hostname,
			words(p.UIDs[:]), words(p.GIDs[:]), maps(p.UIDMap), maps(p.GIDMap),
			strconv.FormatBool(p.NoNewPrivs), seccomp(p.Seccomp), p.Root, p.Cwd, p.Exe,
		})
	}
	return t.markup()
}

func words(numbers []int) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, " ")
}

func maps(m procfs.IDMaps) string { return m.String() }

func seccomp(s inspect.Seccomp) string {
	if s.Filters > 0 {
		return s.Mode + ", " + count(s.Filters, "filter", "filters")
	}
	return s.Mode
}

// namespaceTable is who is in which namespace, and who owns it.
func namespaceTable(list []scene.Process, kinds []string) markup {
	t := table{append([]string{"process"}, kinds...)}
	for _, p := range list {
		cells := []string{named(p)}
		for _, kind := range kinds {
			ns, ok := namespaceOf(p, kind)
			switch of, _ := namespaceOf(list[0], kind); {
			case !ok:
				cells = append(cells, "not readable")
			case p.Pid == list[0].Pid:
				cells = append(cells, said(ns, ""))
			case of.Inode == ns.Inode:
				cells = append(cells, said(ns, "shared"))
			default:
				cells = append(cells, said(ns, "own"))
			}
		}
		t = append(t, cells)
	}
	return t.markup()
}

func said(ns inspect.Namespace, shared string) string {
	s := fmt.Sprintf("%s:[%d]", ns.Kind, ns.Inode)
	if shared != "" {
		s += ", " + shared
	}
	if ns.Owner != 0 {
		s += fmt.Sprintf(", owned by user:[%d]", ns.Owner)
	}
	return s
}
