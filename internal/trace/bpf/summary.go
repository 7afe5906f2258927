package bpf

import (
	"fmt"
	"slices"
	"strings"
)

// A Target is the machine that a filter is read for.
type Target struct {
	Arch  uint32   // AUDIT_ARCH_* of linux/audit.h
	X32   bool     // it has x32's calls too, whose numbers have a bit of their own
	Names []string // its system calls by number, "" for none
}

// x32Bit is __X32_SYSCALL_BIT.
const x32Bit = 0x40000000

// A Summary is what a filter does with all system calls.
type Summary struct {
	Instructions int
	Arches       []string // those that it knows
	Foreign      string   // what it does on another
	X32          string   // what it does with x32's calls, "" where it does as with the others
	Unknown      string   // what it does with a number that no call has
	Allowed      int      // how many calls it lets through, whatever their arguments
	Denied       []Group  // the others, by what becomes of them
	Conditional  []Group  // those of which arguments decide, by what may become of them
}

// A Group is calls that a filter treats alike.
type Group struct {
	Action string // EPERM; "ALLOW or EPERM"
	Calls  []string
}

// Summarize runs a filter over all system calls of a machine.
func (p Program) Summarize(t Target) Summary {
	s := Summary{Instructions: len(p)}
	arches := p.arches()
	for _, a := range arches {
		s.Arches = append(s.Arches, archName(a))
	}
	if len(arches) > 0 {
		const foreign = 1 // no machine has it
		s.Foreign = actions(p.results(foreign, 0))
	}
	if t.X32 {
		s.X32 = p.x32(t)
	}
	s.Unknown = actions(p.results(t.Arch, uint32(len(t.Names))+1000))
	for nr, name := range t.Names {
		if name != "" {
			s.add(name, p.results(t.Arch, uint32(nr)))
		}
	}
	return s
}

// x32 tells what the program does with x32's calls: those of x86_64, whose numbers have
// one more bit.
func (p Program) x32(t Target) string {
	same, all := true, ""
	for nr, name := range t.Names {
		if name == "" {
			continue
		}
		results := p.results(t.Arch, x32Bit|uint32(nr))
		same = same && slices.Equal(results, p.results(t.Arch, uint32(nr)))
		switch a := actions(results); all {
		case "", a:
			all = a
		default:
			all = "some other than x86_64's"
		}
	}
	if same {
		return ""
	}
	return all
}

func (s *Summary) add(name string, results []uint32) {
	switch {
	case len(results) > 1:
		s.Conditional = put(s.Conditional, actions(results), name)
	case len(results) == 1 && allowed(results[0]):
		s.Allowed++
	default:
		s.Denied = put(s.Denied, actions(results), name)
	}
}

func put(groups []Group, action, name string) []Group {
	i := slices.IndexFunc(groups, func(g Group) bool { return g.Action == action })
	if i < 0 {
		return append(groups, Group{action, []string{name}})
	}
	groups[i].Calls = append(groups[i].Calls, name)
	return groups
}

func actions(results []uint32) string {
	var list []string
	for i := range results {
		list = append(list, action(results[len(results)-1-i])) // the mildest is the highest
	}
	return strings.Join(list, " or ")
}

// arches are the architectures that the program asks for, in its order.
func (p Program) arches() []uint32 {
	var list []uint32
	points := p.flow()
	for pc, in := range p {
		if isEqual(in) && points[pc].a == loaded(arch) && !slices.Contains(list, in.K) {
			list = append(list, in.K)
		}
	}
	return list
}

// Lines are the summary in words.
func (s Summary) Lines() []string {
	first := fmt.Sprintf("%d instructions", s.Instructions)
	if len(s.Arches) > 0 {
		first += fmt.Sprintf(", for %s (another architecture: %s)",
			strings.Join(s.Arches, ", "), s.Foreign)
	}
	if s.X32 != "" {
		first += "; x32's calls: " + s.X32
	}
	lines := []string{
		first,
		fmt.Sprintf("allows %d calls; a number that it does not know: %s", s.Allowed, s.Unknown),
	}
	for _, g := range s.Denied {
		lines = append(lines, fmt.Sprintf("denies %d with %s: %s",
			len(g.Calls), g.Action, strings.Join(slices.Sorted(slices.Values(g.Calls)), ", ")))
	}
	for _, g := range s.Conditional {
		lines = append(lines, fmt.Sprintf("%s, by the arguments: %s",
			g.Action, strings.Join(slices.Sorted(slices.Values(g.Calls)), ", ")))
	}
	return lines
}
