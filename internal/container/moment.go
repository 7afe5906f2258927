package container

import (
	"reflect"
	"runtime"
	"strings"
)

// A Moment is one of the points in a container's birth and death at which a
// step has something to do.
type Moment struct {
	Name string // Before, Parent, Child, Root, Inside, Last or After
	Side string // parent or child
	do   func(*Container) error
}

// Moments returns all of a step's moments in the order in which they come,
// those included at which it does nothing.
func (s Step) Moments() []Moment {
	return []Moment{
		{"Before", "parent", s.Before},
		{"Parent", "parent", s.Parent},
		{"Child", "child", s.Child},
		{"Root", "child", s.Root},
		{"Inside", "child", s.Inside},
		{"Last", "child", s.Last},
		{"After", "parent", s.After},
	}
}

// Symbol is the full name of the moment's function, as in a stack trace, or ""
// where there is nothing to do.
func (m Moment) Symbol() string {
	if m.do == nil {
		return ""
	}
	return runtime.FuncForPC(reflect.ValueOf(m.do).Pointer()).Name()
}

// Func is the moment's function as it is named in the step's source, or "".
func (m Moment) Func() string {
	symbol := m.Symbol()
	return symbol[strings.LastIndexByte(symbol, '.')+1:]
}
