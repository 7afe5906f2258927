// Package capsseccomp is step 6: being written.
package capsseccomp

import "github.com/containerkit/kit/internal/container"

// Step is being written.
var Step = container.Step{
	Name: "caps-seccomp",
	Adds: "root without most of its powers: few capabilities, a filter on system calls",
}
