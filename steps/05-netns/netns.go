// Package netns is step 5: being written.
package netns

import "github.com/containerkit/kit/internal/container"

// Step is being written.
var Step = container.Step{
	Name: "netns",
	Adds: "its own network: an address, a cable to a bridge, published ports",
}
