package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/containerkit/kit/internal/cgroup"
	"github.com/containerkit/kit/internal/trace/scene"
)

const leadCgroups = "The cgroups that the processes are in, and those above them. A limit " +
	"holds for all processes in a cgroup together, and below it. Marked is what kit has made."

// drawCgroups draws the hierarchies, a tree each.
func drawCgroups(all []*scene.Scene, at int) *figure {
	s := all[at]
	if len(s.Cgroups) == 0 {
		return nil
	}
	before := sceneOf(all, scene.Before)
	d, y, hierarchy := &drawing{}, 0, ""
	t := table{{"cgroup", "hierarchy", "directory", "processes", "limits"}}
	came, set := 0, []string{}
	for _, g := range s.Cgroups {
		if g.Hierarchy != hierarchy || y == 0 {
			hierarchy = g.Hierarchy
			y = d.hierarchy(y, hierarchy)
		}
		mine := before != nil && !slices.ContainsFunc(before.Cgroups, func(b scene.Cgroup) bool {
			return b.Hierarchy == g.Hierarchy && b.Path == g.Path
		})
		if mine {
			came++
		}
		y = d.cgroup(y, s, g, mine)
		limits := make([]string, len(g.Limits))
		for i, l := range g.Limits {
			limits[i] = limitInWords(l)
			if mine && l.Limit != nil && l.SetAt == g.Path {
				set = append(set, l.File+" "+amount(l.Resource, *l.Limit))
			}
		}
		t = append(t, []string{
			g.Path, g.Hierarchy, g.Dir, strings.Join(procs(s, g), ", "), strings.Join(limits, "; "),
		})
	}
	text := count(len(s.Cgroups), "cgroup", "cgroups") + " in " +
		count(hierarchies(s.Cgroups), "hierarchy", "hierarchies")
	if came > 0 {
		text += fmt.Sprintf("; %d made by kit", came)
	}
	if len(set) > 0 {
		text += ", with " + strings.Join(set, ", ")
	}
	return &figure{title: "Cgroup trees", text: text + ".", drawing: d, table: t.markup()}
}

func hierarchies(list []scene.Cgroup) int {
	known := map[string]bool{}
	for _, g := range list {
		known[g.Hierarchy] = true
	}
	return len(known)
}

// procs names the processes that are right in a cgroup.
func procs(s *scene.Scene, g scene.Cgroup) (names []string) {
	for _, pid := range g.Procs {
		name := strconv.Itoa(pid)
		for _, p := range seen(s.Processes) {
			if p.Pid == pid {
				name = named(p)
			}
		}
		names = append(names, name)
	}
	return names
}

func (d *drawing) hierarchy(y int, name string) int {
	if y > 0 {
		y += 12
	}
	title := "cgroup v2"
	if name != "v2" {
		title = "cgroup v1: " + name
	}
	d.text(0, y+14, "head", title)
	return y + 22
}

// cgroup draws one directory, who is in it, and its limits; it returns where it ends.
func (d *drawing) cgroup(y int, s *scene.Scene, g scene.Cgroup, mine bool) int {
	depth := strings.Count(strings.Trim(g.Path, "/"), "/") + 1
	if strings.Trim(g.Path, "/") == "" {
		depth = 0
	}
	x := 8 + min(depth, 8)*18
	name := "/" + g.Path[strings.LastIndexByte(g.Path, '/')+1:]
	if depth > 0 {
		d.path("branch", "M%d %dV%dH%d", x-10, y-4, y+12, x)
	}
	style := "card"
	if mine {
		style = "card own"
	}
	name = cutFront(name, 40)
	d.box(x, y, mono(name)+16, 24, style)
	d.text(x+8, y+16, "mono", name)
	at := max(x+mono(name)+28, 250)
	for _, who := range procs(s, g) {
		d.box(at, y+2, mono(who)+12, 20, "proc "+class(strings.Fields(who + " -")[0]))
		d.text(at+6, y+16, "mono", who)
		at += mono(who) + 20
	}
	at = max(at, 400)
	for _, l := range g.Limits {
		if l.Limit == nil && l.Error == "" && !mine {
			continue // what is free above kit's own is not worth a line
		}
		d.limit(at, y, l)
		y += 22
	}
	if len(shownLimits(g, mine)) > 0 {
		y -= 22
	}
	return y + 32
}

func shownLimits(g scene.Cgroup, mine bool) (shown []cgroup.Limit) {
	for _, l := range g.Limits {
		if l.Limit != nil || l.Error != "" || mine {
			shown = append(shown, l)
		}
	}
	return shown
}

// limit draws how much of a limit is used, where that can be compared.
func (d *drawing) limit(x, y int, l cgroup.Limit) {
	d.text(x, y+16, "mono", l.File)
	x += 190
	if l.Limit != nil && l.Use != nil && l.Resource != "cpu" && *l.Limit > 0 {
		d.box(x, y+7, 100, 10, "bar")
		d.box(x, y+7, max(1, int(min(1, *l.Use / *l.Limit)*100)), 10, "bar used")
	}
	d.text(x+112, y+16, "dim", limitValue(l))
}

// limitInWords is like "memory.max 64 MiB, set at /kit-1f3a, 1.2 MiB used".
func limitInWords(l cgroup.Limit) string {
	s := l.File + " " + limitValue(l)
	if l.SetAt != "" {
		s += ", set at " + l.SetAt
	}
	return s
}

func limitValue(l cgroup.Limit) string {
	s := "no limit"
	switch {
	case l.Error != "":
		s = "unknown: " + l.Error
	case l.Limit != nil && l.Use != nil && l.Resource != "cpu":
		return used(l.Resource, *l.Use) + " of " + amount(l.Resource, *l.Limit)
	case l.Limit != nil:
		s = amount(l.Resource, *l.Limit)
	}
	if l.Use != nil {
		s += ", " + used(l.Resource, *l.Use) + " used"
	}
	return s
}

// amount is a limit with its unit.
func amount(resource string, n float64) string {
	switch resource {
	case "memory":
		return bytes(n)
	case "cpu":
		return strconv.FormatFloat(n, 'g', 4, 64) + " CPUs"
	case "pids":
		return strconv.FormatFloat(n, 'f', -1, 64) + " tasks"
	}
	return strconv.FormatFloat(n, 'g', -1, 64)
}

func used(resource string, n float64) string {
	switch resource {
	case "cpu":
		return strconv.FormatFloat(n, 'f', 3, 64) + " s"
	case "pids":
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return amount(resource, n)
}

func bytes(n float64) string {
	for _, unit := range []string{"B", "KiB", "MiB", "GiB", "TiB"} {
		if n < 1024 {
			return strconv.FormatFloat(n, 'g', 4, 64) + " " + unit
		}
		n /= 1024
	}
	return strconv.FormatFloat(n, 'g', 4, 64) + " PiB"
}
