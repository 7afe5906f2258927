//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

// varies names the functions whose calls are left out, and why they are not the same
// on all machines.
var varies = map[string]string{
	"steps/03-cgroups/file.go read":              "mountinfo is as long as there are mounts",
	"steps/03-cgroups/room.go children":          "there may be other containers",
	"steps/04-overlay/directory.go makeParents":  "only the first container makes them",
	"internal/container/register.go claim":       "only the first container makes them",
	"steps/05-netns/sysctl.go read":              "what is set already is not set again",
	"steps/05-netns/sysctl.go write":             "what is set already is not set again",
	"steps/06-caps-seccomp/hide.go protect":      "not every kernel has all these files",
	"steps/06-caps-seccomp/hide.go mask":         "not every kernel has all these files",
	"steps/06-caps-seccomp/hide.go maskThermal":  "not every machine has all these files",
	"steps/06-caps-seccomp/caps.go dropBounding": "one call for each capability that the kernel has",
}

// A goldenLine is one event, as far as it is the same on all machines.
type goldenLine struct {
	Who     string   `json:"who"`          // parent 1: processes are numbered as they come
	When    string   `json:"when"`         // 2 Root
	At      string   `json:"at,omitempty"` // file and function
	Call    string   `json:"call,omitempty"`
	Decoded []string `json:"decoded,omitempty"`
	Kernel  []string `json:"kernel,omitempty"`
	Note    string   `json:"note,omitempty"`
}

// A golden makes lines of a record's events.
type golden struct {
	kit, rootfs string
	rootless    bool
	pids        map[int]string // process by process: who it is
	order       []string
}

// goldenLines are a record's lines, those of each process together, as the order between
// processes is nobody's. Those of step 3 stand apart.
func goldenLines(events []*trace.Event, rootfs string) map[bool][]string {
	g := &golden{
		kit: events[0].Argv[0], rootfs: rootfs, rootless: *events[0].Rootless,
		pids: map[int]string{},
	}
	of := map[string]map[bool][]string{}
	count := map[trace.Side]int{}
	for _, e := range events {
		if !g.keeps(e) {
			continue
		}
		if g.pids[e.PID] == "" {
			count[e.Side]++
			g.pids[e.PID] = fmt.Sprintf("%s %d", e.Side, count[e.Side])
			g.order = append(g.order, g.pids[e.PID])
			of[g.pids[e.PID]] = map[bool][]string{}
		}
		line := g.line(e)
		lines := of[g.pids[e.PID]]
		if !slices.Contains(lines[e.Step == 3], line) {
			lines[e.Step == 3] = append(lines[e.Step == 3], line)
		}
	}
	all := map[bool][]string{}
	for _, who := range g.order {
		all[true] = append(all[true], of[who][true]...)
		all[false] = append(all[false], of[who][false]...)
	}
	return all
}

// keeps tells the events that become lines. Without root it depends on the machine how
// the engine gets its ids; the container's end of a cable is removed by the kernel,
// unless kit is faster.
func (g *golden) keeps(e *trace.Event) bool {
	switch {
	case e.PID == 0 || varies[e.File+" "+e.Func] != "":
		return false
	case g.rootless && e.Step == 0:
		return false
	case e.Func == "unplug":
		return false
	case e.Func == "removeLink" && len(e.Decoded) > 0 &&
		!strings.HasSuffix(e.Decoded[0].Lines[0], "LINK kit0"):
		return false
	}
	return e.Kind == trace.Note || e.Kind == trace.Syscall && e.Class == trace.Lesson
}

func (g *golden) line(e *trace.Event) string {
	l := goldenLine{
		Who: g.pids[e.PID], When: strings.TrimSpace(fmt.Sprintf("%d %s", e.Step, e.Moment)),
		At: strings.TrimSpace(e.File + " " + e.Func), Note: e.Text,
	}
	if e.Kind == trace.Syscall {
		l.Call = g.call(e)
		l.Decoded, l.Kernel = g.decoded(e), g.kernel(e)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(l); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

// call is the call, with the names of its arguments.
func (g *golden) call(e *trace.Event) string {
	name := e.Call
	if name == "clone3" {
		name = "clone" // which of them depends on the cgroups
	}
	var args []string
	for _, a := range e.Args {
		if text := g.arg(e, a); text != "" {
			args = append(args, a.Name+": "+text)
		}
	}
	return name + "(" + strings.Join(args, ", ") + ") = " + g.result(e)
}

func (g *golden) result(e *trace.Event) string {
	switch {
	case e.Errno != "":
		return e.Errno
	case e.Ret == nil:
		return "none"
	case strings.Contains(e.RetText, "<"):
		return g.plain(e.RetText)
	case regexp.MustCompile("^p?(read|write|recv|send)").MatchString(e.Call):
		return "N"
	case *e.Ret == 0 && e.Call != "umask":
		return "0"
	}
	return "N"
}

// arg is an argument's text, "" for one that is the machine's or the run's.
func (g *golden) arg(e *trace.Event, a trace.Arg) string {
	switch {
	case strings.HasPrefix(a.Text, "0x"):
		return ""
	case a.Name == "buf" && strings.Contains(e.Call, "re"): // read, recvfrom, readlinkat
		return ""
	case a.Name == "data" && strings.HasPrefix(e.Args[0].Text, `"cgroup`):
		return "CONTROLLERS"
	case a.Name == "buf" && strings.Contains(e.Args[0].Text, "/resolv.conf>"):
		return "SERVERS"
	case slices.Contains([]string{
		"len", "count", "length", "msg", "statbuf", "datap", "sv", "size",
	}, a.Name):
		return ""
	case a.Name == "mask" && a.Raw != 0:
		return "MASK"
	case a.Name == "fd" && !strings.Contains(a.Text, "<"):
		return "FD"
	case e.Call == "statfs" && a.Name == "buf":
		return "" // the machine's
	case a.Name == "pid" || a.Name == "envp":
		return strings.ToUpper(a.Name)
	case e.Call == "execve" && a.Name == "argv" && e.Func != "execPayload":
		return "KIT"
	case strings.HasPrefix(e.Call, "clone"):
		return g.clone(a)
	}
	return g.plain(a.Text)
}

// clone is what a clone makes: how is up to Go's library.
func (g *golden) clone(a trace.Arg) string {
	if a.Name != "flags" && a.Name != "cl_args" {
		return ""
	}
	return strings.Join(regexp.MustCompile(`CLONE_NEW\w+`).FindAllString(a.Text, -1), "|")
}

// decoded is what is in a message or filter: as far as it does not depend on what the
// kernel knows.
func (g *golden) decoded(e *trace.Event) []string {
	var out []string
	for _, d := range e.Decoded {
		if d.What == trace.Messages {
			for _, l := range d.Lines {
				out = append(out, g.plain(l))
			}
		}
	}
	return out
}

// kernel is what a call changed.
func (g *golden) kernel(e *trace.Event) []string {
	var out []string
	for _, c := range e.Changes {
		text := g.change(c)
		if text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

func (g *golden) change(c trace.Change) string {
	what, came := g.plain(c.What), g.plain(c.After)
	switch {
	case strings.Contains(c.What+c.Before+c.After, "fe80:"):
		return "" // the kernel takes its time over them
	case c.After == "" && strings.HasPrefix(c.What, "mount "):
		return "- mounts"
	case strings.HasPrefix(c.What, "mount /sys/"):
		return "" // as many as the host has there
	case strings.HasPrefix(c.What, "mount ") && c.Before != "" && c.Before[0] != '/':
		return "" // another propagation, if the host's was another
	case strings.HasPrefix(c.What, "mount ") && strings.HasPrefix(c.Before, "/"):
		return "mount " + g.plain(c.Before) + " moves to " + came
	case strings.Contains(c.What, "/status Cap"):
		return what
	case strings.Contains(c.What, "/status "), c.What == "hostname":
		return what + " → " + came
	case strings.HasPrefix(c.What, "mount "):
		return what + " → " + fileSystemOf(came)
	}
	mark := " changes"
	if c.Before == "" {
		mark = " comes"
	} else if c.After == "" {
		mark = " goes"
	}
	return what + mark
}

// fileSystemOf is a mount's type and options, without those of a disk.
func fileSystemOf(mount string) string {
	kind, rest, _ := strings.Cut(mount, " ")
	if slices.Contains([]string{"proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup2"}, kind) {
		return kind + " " + rest
	}
	if strings.HasPrefix(mount, "/") || kind == "overlay" {
		return kind
	}
	return "bound"
}

// replacements are what differs from run to run, and its stand-in.
var replacements = []struct{ pattern, by string }{
	{`/sys/fs/cgroup/[^"<> ]*golden`, "CGROUP/golden"},
	{`/sys/fs/cgroup/[a-z_,]+[^"<> ]*`, "CGROUP"},
	{`/[^"<> ]*/roots/[^/"<> ]+/root\b`, "ROOT"},
	{`/[^"<> ]*/containers/golden`, "CACHE/golden"},
	{`/[^"<> ]*/containers\b`, "CACHE"},
	{`/[^"<> ]*/golden\.net\b`, "STATE/golden.net"},
	{`"(/usr)?/bin/true"`, `"TRUE"`},
	{`/proc/\d+`, "/proc/PID"},
	{`sysfs ro,[a-z,]+`, "sysfs ro"}, // a user gets the host's, with its options
	{`process \d+`, "process PID"},
	{`\b\d+<`, "FD<"},
	{`/[^"<> ]*/kit\b`, "KIT"},
	{`:\[\d+\]`, ":[N]"},
	{`\(device \d+:\d+ inode \d+\)`, "(N)"},
	{`([0-9a-f]{2}:){5}[0-9a-f]{2}`, "MAC"},
	{`\b\d+\.\d+\.\d+\.\d+\b`, "ADDRESS"},
	{`\bfe80::[0-9a-f:]+`, "ADDRESS"},
	{`^"\d+(-\d+)?"$`, `"N"`},
	{`\{\d+ instructions\}`, "{N instructions}"},
	{`\b0 \d+ 1\b`, "0 ID 1"},
	{`\bkit\d+\b`, "BRIDGE"},
}

// plain is text without what differs.
func (g *golden) plain(text string) string {
	text = strings.ReplaceAll(text, g.rootfs, "ROOT")
	text = strings.ReplaceAll(text, strconv.Quote(g.kit), `"KIT"`)
	for pid := range g.pids {
		if pid > 1 {
			text = strings.ReplaceAll(text, "/"+strconv.Itoa(pid)+"/", "/PID/")
		}
	}
	for _, r := range replacements {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.by)
	}
	return text
}
