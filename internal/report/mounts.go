package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/containerkit/kit/internal/trace/scene"
)

const leadMounts = "The mounts that each mount namespace has, as a tree. Marked is what differs " +
	"from what there was before kit began: + came, − went, ~ is mounted otherwise."

// A mountRow is a line of the tree.
type mountRow struct {
	scene.Mount
	depth int
	mark  string // "+", "−", "~" or ""
	was   string // the propagation or options that it had, where the mark is "~"
}

// drawMounts draws the tree of each mount namespace, and what is different from before.
func drawMounts(all []*scene.Scene, at int) *figure {
	s := all[at]
	before := sceneOf(all, scene.Before)
	if len(s.Mounts) == 0 {
		return nil
	}
	d, y, said := &drawing{}, 0, []string{}
	t := table{{
		"target", "mark", "type", "source", "root", "options", "propagation",
		"file system's options", "device", "id", "parent",
	}}
	for _, m := range changedFirst(s.Mounts, before) {
		rows := compare(m, before)
		who := strings.Join(inside(s, "mnt", m.Namespace), ", ")
		y = d.mounts(y, m.Namespace, who, rows)
		said = append(said, fmt.Sprintf("%s (%s) has %s%s.", m.Namespace, who,
			count(len(m.Mounts), "mount", "mounts"), tally(rows)))
		t = append(t, []string{m.Namespace + " of " + who})
		for _, r := range rows {
			t = append(t, []string{
				r.Target, r.mark, r.Type, r.Source, r.Root, r.Options, r.Propagation, r.Super,
				r.Device, fmt.Sprint(r.ID), fmt.Sprint(r.Parent),
			})
		}
	}
	return &figure{
		title: "Mount trees", text: strings.Join(said, " "), drawing: d, table: t.markup(),
	}
}

// changedFirst puts the namespaces first that there were not before: they are the
// container's.
func changedFirst(list []scene.Mounts, before *scene.Scene) []scene.Mounts {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b scene.Mounts) int {
		return known(a, before) - known(b, before)
	})
	return list
}

// known is 1 for a namespace that there was before.
func known(m scene.Mounts, before *scene.Scene) int {
	if before != nil && slices.ContainsFunc(before.Mounts, func(b scene.Mounts) bool {
		return b.Namespace == m.Namespace
	}) {
		return 1
	}
	return 0
}

// inside are the processes of a scene that are in a namespace, "mnt:[4026531841]".
func inside(s *scene.Scene, kind, namespace string) (who []string) {
	for _, p := range seen(s.Processes) {
		if ns, ok := namespaceOf(p, kind); ok && fmt.Sprintf("%s:[%d]", kind, ns.Inode) == namespace {
			who = append(who, named(p))
		}
	}
	if len(who) == 0 {
		return []string{"nobody's"}
	}
	return who
}

// compare puts the mounts of a namespace in the order of their tree, with those that the
// namespace, or the host's of which it is a copy, had before and has no more.
func compare(m scene.Mounts, before *scene.Scene) []mountRow {
	rows := tree(m.Mounts)
	if before == nil || len(before.Mounts) == 0 {
		return rows
	}
	old := before.Mounts[0]
	for _, b := range before.Mounts {
		if b.Namespace == m.Namespace {
			old = b
		}
	}
	left := slices.Clone(old.Mounts)
	for i := range rows {
		k := slices.IndexFunc(left, func(o scene.Mount) bool { return same(o, rows[i].Mount) })
		if k < 0 {
			rows[i].mark = "+"
			continue
		}
		if was := left[k]; was.Options != rows[i].Options || kindOf(was) != kindOf(rows[i].Mount) {
			rows[i].mark, rows[i].was = "~", was.Options+", "+was.Propagation
		}
		left = slices.Delete(left, k, k+1)
	}
	for _, r := range tree(left) {
		r.mark = "−"
		rows = append(rows, r)
	}
	return rows
}

// same tells a mount that is another's copy, or itself: ids are new in a copy.
func same(a, b scene.Mount) bool {
	return a.Target == b.Target && a.Device == b.Device && a.Root == b.Root && a.Type == b.Type
}

// kindOf is the propagation without the numbers of peer groups, which a copy may change.
func kindOf(m scene.Mount) string {
	words := strings.Fields(m.Propagation)
	for i, w := range words {
		words[i], _, _ = strings.Cut(w, ":")
	}
	return strings.Join(words, " ")
}

// tree orders mounts by what they are mounted on.
func tree(list []scene.Mount) (rows []mountRow) {
	known := map[int]bool{}
	for _, m := range list {
		known[m.ID] = true
	}
	children := map[int][]scene.Mount{}
	var roots []scene.Mount
	for _, m := range list {
		if known[m.Parent] && m.Parent != m.ID {
			children[m.Parent] = append(children[m.Parent], m)
		} else {
			roots = append(roots, m)
		}
	}
	var walk func(m scene.Mount, depth int)
	walk = func(m scene.Mount, depth int) {
		if !known[m.ID] {
			return // a record that is not the kernel's may have a circle
		}
		delete(known, m.ID)
		rows = append(rows, mountRow{Mount: m, depth: depth})
		for _, c := range children[m.ID] {
			walk(c, depth+1)
		}
	}
	for _, m := range roots {
		walk(m, 0)
	}
	return rows
}

// tally counts the marks.
func tally(rows []mountRow) string {
	n := map[string]int{}
	for _, r := range rows {
		n[r.mark]++
	}
	var parts []string
	for _, m := range [][2]string{{"+", "came"}, {"−", "went"}, {"~", "changed"}} {
		if n[m[0]] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[m[0]], m[1]))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

const mountLine = 21

// mounts draws the tree of one namespace from y on, and returns where it ends.
func (d *drawing) mounts(y int, namespace, who string, rows []mountRow) int {
	if y > 0 {
		y += 18
	}
	d.text(0, y+14, "name", who)
	d.text(0, y+32, "mono", namespace)
	y += 56
	d.text(24, y, "head", "target")
	d.text(330, y, "head", "type")
	d.text(440, y, "head", "source")
	d.text(640, y, "head", "options")
	d.text(850, y, "head", "propagation")
	y += 8
	lastAt := map[int]int{} // depth -> y of the line above that has it
	gone := false
	for _, r := range rows {
		if r.mark == "−" && !gone {
			gone = true
			y += 24
			d.text(24, y-4, "head", "before, and no more:")
		}
		d.mountRow(y, r, lastAt)
		y += mountLine
	}
	return y
}

func (d *drawing) mountRow(y int, r mountRow, lastAt map[int]int) {
	style := map[string]string{"+": "came", "−": "went", "~": "turned"}[r.mark]
	if style != "" {
		d.box(0, y+1, 980, mountLine-2, "row "+style)
		d.text(7, y+15, "sign "+style, r.mark)
	}
	x := 24 + r.depth*14
	if up, ok := lastAt[r.depth-1]; ok && r.depth > 0 {
		d.path("branch", "M%d %dV%dH%d", x-10, up+18, y+11, x-2)
	}
	lastAt[r.depth] = y
	d.text(x, y+15, "mono"+gone(r), cutFront(r.Target, (322-x)*100/725))
	d.text(330, y+15, "mono", cut(r.Type, 14))
	source := r.Source
	if r.Root != "/" && r.Root != "" {
		source += "[" + r.Root + "]"
	}
	d.text(440, y+15, "mono", cutFront(source, 26))
	d.text(640, y+15, "mono", cut(r.Options, 27))
	d.text(850, y+15, "dim", cut(r.Propagation, 19))
}

func gone(r mountRow) string {
	if r.mark == "−" {
		return " gone"
	}
	return ""
}
