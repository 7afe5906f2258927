package attack

import "slices"

// An Attack is one way out of a container, or one look out of it: a small program
// that runs inside. It is made so that it harms nobody: see Target.
type Attack struct {
	Name  string // one word, as on the command line
	Tries string // what it tries, in a few plain words
	Stop  int    // the step that is meant to stop it first; 0: none does, nor does Docker
	Why   string // why that step stops it, or why none does
	By    []Call // the calls of that step that do it: which one depends on the machine

	// Flags are those that kit step gets, from the step on that is the key.
	Flags map[int][]string
	// Run is the attack. It returns what it has seen or done, or the call that
	// failed, as `call object: cause`.
	Run func(*Target) (saw string, err error)
	// Watch, if there is one, is the host's side: it is called before the attack, and
	// what it returns after it. An error there says that the host has noticed nothing.
	Watch func(*Host) (verdict func() error, err error)

	terminal bool // with the host's terminal as standard input
	leak     bool // with a directory of the host left open
}

// A Call names a system call of a step: its name, and a part of its arguments as the
// trace prints them.
type Call struct{ Name, Arg string }

// All returns the attacks in the order in which the ladder stops them.
func All() []*Attack {
	list := slices.Concat(processes(), files(), names(), limits(), networks(), devices(),
		kernel(), privileges(), leaks())
	slices.SortStableFunc(list, func(a, b *Attack) int { return rank(a) - rank(b) })
	return list
}

// rank puts those last that nothing stops.
func rank(a *Attack) int {
	if a.Stop == 0 {
		return 99
	}
	return a.Stop
}

// Find returns the attack of that name, or nil.
func Find(name string) *Attack {
	for _, a := range All() {
		if a.Name == name {
			return a
		}
	}
	return nil
}
