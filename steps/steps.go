// Package steps is the ladder: one package a step, in teaching order.
package steps

import (
	"embed"

	"github.com/containerkit/kit/internal/container"
	chroot "github.com/containerkit/kit/steps/01-chroot"
	namespaces "github.com/containerkit/kit/steps/02-namespaces"
	cgroups "github.com/containerkit/kit/steps/03-cgroups"
	overlay "github.com/containerkit/kit/steps/04-overlay"
	netns "github.com/containerkit/kit/steps/05-netns"
	capsseccomp "github.com/containerkit/kit/steps/06-caps-seccomp"
)

// All is the ladder: kit step 2 runs All[:2].
var All = []container.Step{
	chroot.Step,
	namespaces.Step,
	cgroups.Step,
	overlay.Step,
	netns.Step,
	capsseccomp.Step,
}

// Source is the steps' own source, by path from this directory, as the trace
// and the lessons quote it.
//
//go:embed *.go */*.go
var Source embed.FS
