// Package overlay is step 4: being written.
package overlay

import "github.com/containerkit/kit/internal/container"

// Step is being written.
var Step = container.Step{
	Name: "overlay",
	Adds: "a root file system of its own to write to, on top of one that is shared",
}
