package render

import (
	"fmt"
	"strings"

	"github.com/containerkit/kit/internal/trace"
)

// decoded writes what a call has handed over to the kernel, or got from it. The code
// of a filter is for those who ask for all.
func (t *text) decoded(e *trace.Event) {
	for _, d := range e.Decoded {
		switch d.What {
		case trace.Code:
			if t.o.Verbosity >= 2 {
				t.code(d.Lines)
			}
		default:
			n := 0
			for _, line := range d.Lines {
				for i, l := range wrap(line, t.room()-2) {
					if i > 0 {
						l = "  " + l
					}
					t.labelled(string(d.What), n, l)
					n++
				}
			}
		}
	}
}

// code writes instructions as they are, an indented line each.
func (t *text) code(lines []string) {
	for i, l := range lines {
		t.labelled(string(trace.Code), i, t.p.aside.Sprint(cut(l, t.room())))
	}
}

// countRules says in one line what nftables has made of a request of several parts:
// they are the same as in the message.
func countRules(all []trace.Change) []trace.Change {
	count, order := map[string]int{}, []string{}
	for _, c := range all {
		kind, ok := strings.CutPrefix(c.What, "nft ")
		if !ok || c.Before != "" {
			return all
		}
		kind, _, _ = strings.Cut(kind, " ")
		if count[kind]++; count[kind] == 1 {
			order = append(order, kind)
		}
	}
	if len(all) < 3 {
		return all
	}
	for i, kind := range order {
		order[i] = fmt.Sprintf("%d %s", count[kind], kind)
		if count[kind] > 1 {
			order[i] += "s"
		}
	}
	return []trace.Change{{What: "nft", After: strings.Join(order, ", ") + ", as asked for"}}
}

// together joins the changes that say the same in short of several lines of a status
// file: CapPrm, CapEff.
func together(all []trace.Change) []trace.Change {
	return join(all, func(c trace.Change) string { return c.Short })
}

// alike joins the lines of a status file that say the same now.
func alike(all []trace.Change) []trace.Change {
	return join(all, func(c trace.Change) string { return c.After })
}

func join(all []trace.Change, says func(trace.Change) string) []trace.Change {
	var out []trace.Change
	for _, c := range all {
		if i := len(out) - 1; i >= 0 && says(c) != "" && says(out[i]) == says(c) {
			proc, line, ok := strings.Cut(c.What, "/status ")
			if ok && strings.HasPrefix(out[i].What, proc+"/status ") {
				out[i].What += ", " + line
				continue
			}
		}
		out = append(out, c)
	}
	return out
}
