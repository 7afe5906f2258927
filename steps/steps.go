// Package steps is the ladder: one package a step, in teaching order.
package steps

import (
	"embed"

	"github.com/containerkit/kit/internal/container"
	chroot "github.com/containerkit/kit/steps/01-chroot"
	namespaces "github.com/containerkit/kit/steps/02-namespaces"
)

// All is the ladder: kit step 2 runs All[:2].
var All = []container.Step{
	chroot.Step,
	namespaces.Step,
}

// Source is the steps' own source, by path from this directory, as the trace
// and the lessons quote it.
//
//go:embed */*.go
var Source embed.FS
