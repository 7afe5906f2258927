package inspect

import (
	"fmt"
	"slices"
	"strings"
)

func (r *Report) writeNamespaces(p *page) {
	if why, ok := r.noNamespaces(); ok {
		p.row("all", why)
		return
	}
	for _, n := range r.Namespaces {
		if why, ok := r.Errors["namespaces."+n.Kind]; ok {
			p.write(fmt.Sprintf("  %-7s", n.Kind), why)
			continue
		}
		p.write(fmt.Sprintf("  %-7s%-12d%-8s", n.Kind, n.Inode, r.whose(n)), n.relatives())
	}
	for _, n := range r.Children {
		kind := strings.TrimSuffix(n.Kind, "_for_children")
		i := slices.IndexFunc(r.Namespaces, func(n Namespace) bool { return n.Kind == kind })
		if i < 0 || r.Namespaces[i].Inode == n.Inode || r.Errors["children."+n.Kind] != "" {
			continue
		}
		inode := "that the first of them makes"
		if n.Inode != 0 {
			inode = fmt.Sprint(n.Inode)
		}
		p.write("  ", fmt.Sprintf("children are born in the %s namespace %s", kind, inode))
	}
}

// noNamespaces returns why none can be read, where that is the case.
func (r *Report) noNamespaces() (why string, ok bool) {
	if why, ok := r.Errors["namespaces"]; ok {
		return why, true
	}
	for _, n := range r.Namespaces {
		if why, ok = r.Errors["namespaces."+n.Kind]; !ok {
			return "", false
		}
	}
	return why, ok
}

func (r *Report) whose(n Namespace) string {
	switch {
	case r.self:
		return "yours"
	case n.Shared:
		return "shared"
	}
	return "own"
}

// relatives says what owns a namespace and what is around it.
func (n Namespace) relatives() string {
	var parts []string
	if n.Initial {
		parts = append(parts, "initial")
	}
	switch {
	case n.Kind == "user" && n.OwnerUID != nil:
		parts = append(parts, fmt.Sprintf("made by uid %d", *n.OwnerUID))
	case n.Owner != 0 && n.OwnerUID != nil:
		parts = append(parts, fmt.Sprintf("owned by user namespace %d (uid %d)", n.Owner, *n.OwnerUID))
	case n.Kind != "user":
		parts = append(parts, "owned from outside your user namespace")
	}
	if n.Parent != 0 {
		parts = append(parts, fmt.Sprintf("parent %d", n.Parent))
	}
	return strings.Join(parts, ", ")
}
