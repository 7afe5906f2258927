package inspect

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"github.com/containerkit/kit/internal/cgroup"
)

// writeCgroups writes the hierarchies that have the process at the same path
// together.
func (r *Report) writeCgroups(p *page) {
	if why, ok := r.Errors["cgroups"]; ok {
		p.row("cgroup", why)
	}
	done := map[string]bool{}
	for _, g := range r.Cgroups {
		key := fmt.Sprint(g.Version, g.Path)
		if done[key] {
			continue
		}
		done[key] = true
		names, limits, found := r.at(g.Version, g.Path)
		p.row(fmt.Sprintf("v%d", g.Version), strings.TrimSpace(g.Path+" "+names))
		for _, l := range limits {
			p.row("  "+l.Resource, limitText(l, g.Path))
		}
		if !found {
			p.row("", "not mounted here: limits are not readable")
		}
	}
}

// at puts together what holds for one path in all hierarchies of a version.
func (r *Report) at(version int, path string) (names string, limits []cgroup.Limit, found bool) {
	var controllers []string
	for _, g := range r.Cgroups {
		if g.Version != version || g.Path != path {
			continue
		}
		controllers = append(controllers, g.Controllers...)
		limits = append(limits, g.Limits...)
		found = found || g.Dir != ""
	}
	if len(controllers) > 0 {
		names = "(" + strings.Join(controllers, ", ") + ")"
	}
	return names, limits, found
}

// limitText is like "512MiB at most (memory.max), 12.3MiB now". It names the cgroup
// that sets the limit where that is another one than path.
func limitText(l cgroup.Limit, path string) string {
	text := "no limit"
	switch {
	case l.Error != "":
		text = l.Error
	case l.Limit != nil:
		text = amount(l, *l.Limit) + " at most"
	}
	text += " (" + l.File
	if l.SetAt != "" && l.SetAt != path {
		text += " of " + l.SetAt
	}
	text += ")"
	if l.Use == nil {
		return text
	}
	if l.Resource == "cpu" {
		return text + fmt.Sprintf(", %.1f s used so far", *l.Use)
	}
	return text + ", " + amount(l, *l.Use) + " now"
}

// amount is a number with its unit.
func amount(l cgroup.Limit, n float64) string {
	switch l.Resource {
	case "memory":
		return units.BytesSize(n)
	case "cpu":
		return strconv.FormatFloat(n, 'g', 3, 64) + " CPUs"
	}
	return fmt.Sprintf("%.0f tasks", n)
}
