// Package cgroups is step 3: being written.
package cgroups

import "github.com/containerkit/kit/internal/container"

// Step is being written.
var Step = container.Step{
	Name: "cgroups",
	Adds: "limits on memory, CPU, processes, devices and disks",
}
