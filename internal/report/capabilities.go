package report

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/containerkit/kit/internal/inspect"
	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/trace/scene"
)

const leadCapabilities = "Root's power in pieces, and which of them each process has. What " +
	"counts when it calls the kernel is the effective set; the bounding set is all that it can " +
	"ever get by an execve."

// knownCaps is how many capabilities there are since Linux 5.9.
const knownCaps = 41

// setNames are the five sets, in the order of /proc/PID/status.
var setNames = [5]string{"inheritable", "permitted", "effective", "bounding", "ambient"}

func setsOf(c inspect.Capabilities) [5]inspect.CapSet {
	return [5]inspect.CapSet{c.Inheritable, c.Permitted, c.Effective, c.Bounding, c.Ambient}
}

// drawCapabilities draws a grid: a line for each capability, a column for each set of
// each process.
func drawCapabilities(all []*scene.Scene, at int) *figure {
	list := seen(all[at].Processes)
	if len(list) == 0 {
		return nil
	}
	number := knownCaps
	for _, p := range list {
		for _, s := range setsOf(p.Capabilities) {
			number = max(number, bits.Len64(uint64(s)))
		}
	}
	d := &drawing{}
	const left, top, cell, line, gap = 190, 58, 22, 15, 22
	for i := range number {
		y := top + i*line
		if i%2 == 0 {
			d.box(0, y, left+len(list)*(5*cell+gap), line, "stripe")
		}
		d.text(6, y+12, "mono", fmt.Sprintf("%2d %s", i, capName(i)))
	}
	for n, p := range list {
		x := left + n*(5*cell+gap)
		d.text(x, 16, "name", cut(roleName(p.Role), 17))
		d.text(x, 32, "dim", strconv.Itoa(p.Pid))
		for k, set := range setsOf(p.Capabilities) {
			d.text(x+k*cell+6, 50, "head", strings.ToUpper(setNames[k][:1]))
			d.column(x+k*cell, top, cell, line, number, set, k == 2)
		}
	}
	d.text(left, top+number*line+18, "dim",
		"I inheritable   P permitted   E effective   B bounding   A ambient")
	return &figure{
		title: "Capability sets", text: sayCapabilities(list), drawing: d,
		table: capabilityTable(list),
	}
}

// column draws a set as one path: a square for each capability in it.
func (d *drawing) column(x, y, cell, line, number int, set inspect.CapSet, effective bool) {
	style := "cap"
	if effective {
		style += " eff"
	}
	var has, lacks strings.Builder
	for i := range number {
		to := &lacks
		if set>>i&1 == 1 {
			to = &has
		}
		fmt.Fprintf(to, "M%d %dh11v11h-11z", x+(cell-11)/2, y+i*line+2)
	}
	if has.Len() > 0 {
		d.path(style, "%s", has.String())
	}
	if lacks.Len() > 0 {
		d.path("cap no", "%s", lacks.String())
	}
	d.grow(x+cell, y+number*line)
}

func capName(i int) string { return strings.Join(procfs.CapList(1<<i), "") }

func sayCapabilities(list []scene.Process) string {
	said := make([]string, len(list))
	for i, p := range list {
		n := setsOf(p.Capabilities)
		said[i] = fmt.Sprintf("%s has %d effective, %d in its bounding set.", capital(named(p)),
			bits.OnesCount64(uint64(n[2])), bits.OnesCount64(uint64(n[3])))
	}
	return strings.Join(said, " ")
}

// capabilityTable names what is in each set.
func capabilityTable(list []scene.Process) markup {
	t := table{{"process", "set", "number", "capabilities"}}
	for _, p := range list {
		for k, set := range setsOf(p.Capabilities) {
			t = append(t, []string{
				named(p), setNames[k], strconv.Itoa(bits.OnesCount64(uint64(set))),
				strings.Join(procfs.CapList(uint64(set)), ", "),
			})
		}
	}
	return t.markup()
}
