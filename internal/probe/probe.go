// Package probe says in words why something cannot be done on this machine: from the
// errno, and from what the kernel says about itself at that moment. Package doctor is
// what tries.
package probe

// A Fact is one reason why something does not work here.
type Fact struct {
	Problem string // what is in the way: "user.max_user_namespaces is 0"
	Why     string // what the kernel makes of it
	Fix     string // what to do about it
}
