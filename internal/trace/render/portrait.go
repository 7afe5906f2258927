package render

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

// A portrait is in what a process differs from kit on the host, by the last part of
// the file's path in /proc, or the name of a line in its status: ns/pid, CapEff.
type portrait map[string]trace.Change

// isPicture tells the command's execve: the changes that stand with it are no call's
// work, but the picture of the process that begins.
func isPicture(e *trace.Event) bool {
	return (e.Call == "execve" || e.Call == "execveat") && len(e.Changes) > 0 &&
		strings.HasSuffix(e.Changes[0].What, "/exe")
}

func portraitOf(all []trace.Change) portrait {
	p := portrait{}
	for _, c := range all {
		name := c.What
		if _, line, ok := strings.Cut(c.What, "/status "); ok {
			name = line
		} else if parts := strings.SplitN(c.What, "/", 4); len(parts) == 4 {
			name = parts[3] // /proc/4711/ns/pid
		}
		p[name] = c
	}
	return p
}

// A fact is one line of a portrait.
type fact struct{ label, text string }

// lines are the portrait in words.
func (p portrait) lines() []fact {
	list := p.namespaces()
	list = append(list, fact{"root", p.root()})
	for _, id := range []string{"Uid", "Gid"} {
		if c, ok := p[id]; ok {
			list = append(list, fact{strings.ToLower(id), c.Before + " → " + c.After})
		}
	}
	if c, ok := p["CapEff"]; ok {
		may := capabilities(c.After)
		if _, ok := p["ns/user"]; ok {
			may += ", over what belongs to its user namespace"
		}
		list = append(list, fact{"may", may})
	}
	if _, ok := p["NoNewPrivs"]; ok {
		list = append(list, fact{"may not", "gain rights by execve (no_new_privs)"})
	}
	if c, ok := p["Seccomp_filters"]; ok {
		list = append(list, fact{"filters", c.After + " of seccomp"})
	}
	if c, ok := p["cgroup"]; ok {
		list = append(list, fact{"cgroup", cgroups(c)})
	}
	return list
}

// kinds are the namespaces that there are (namespaces(7)).
var kinds = [...]string{"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"}

// namespaces tells which are not the host's, and which are.
func (p portrait) namespaces() []fact {
	var own, shared []string
	for _, kind := range kinds {
		if _, ok := p["ns/"+kind]; ok {
			own = append(own, kind)
		} else {
			shared = append(shared, kind)
		}
	}
	var list []fact
	if len(own) > 0 {
		list = append(list, fact{"apart", "namespaces " + strings.Join(own, ", ")})
	}
	if len(shared) > 0 {
		list = append(list, fact{"shared", "namespaces of the host: " + strings.Join(shared, ", ")})
	}
	return list
}

func (p portrait) root() string {
	if c, ok := p["root"]; ok {
		return c.After
	}
	return "the host's"
}

// program is the file that runs, as the process itself finds it.
func (p portrait) program() string {
	exe, root := p["exe"].After, p["root"].After
	if inside, ok := strings.CutPrefix(exe, root); ok && strings.HasPrefix(inside, "/") {
		return inside
	}
	return exe
}

// capabilities counts a list of names, and gives it.
func capabilities(list string) string {
	if n := len(strings.Fields(list)); strings.HasPrefix(list, "CAP_") && n > 1 {
		return fmt.Sprintf("%d capabilities: %s", n, list)
	}
	if list == "all" {
		return "all capabilities"
	}
	return list
}

// cgroups names the cgroups that are not kit's, each with the controllers that are in
// it: a line of /proc/PID/cgroup is number:controllers:path.
func cgroups(c trace.Change) string {
	before := strings.Split(c.Before, ", ")
	by := map[string][]string{}
	var order []string
	for _, line := range strings.Split(c.After, ", ") {
		parts := strings.SplitN(line, ":", 3)
		if len(parts) < 3 || slices.Contains(before, line) {
			continue
		}
		name := path.Base(parts[2])
		if by[name] == nil {
			order = append(order, name)
		}
		if parts[1] == "" {
			parts[1] = "v2"
		}
		by[name] = append(by[name], parts[1])
	}
	for i, name := range order {
		order[i] = name + " (" + strings.Join(by[name], ", ") + ")"
	}
	return strings.Join(order, "; ")
}

// picture shows a process as the command begins. No call did that, but all before
// it: so it is not told as a change.
func (t *text) picture(e *trace.Event) bool {
	if !isPicture(e) {
		return false
	}
	n := 0
	for _, c := range alike(e.Changes) {
		for _, l := range t.broken(nil, c.What+"  "+c.After, "") {
			t.labelled("now", n, l)
			n++
		}
	}
	return true
}
