//go:build linux

package main

import (
	"github.com/spf13/pflag"

	"github.com/containerkit/kit/internal/container"
)

// limitOptions are the flags of step 3.
type limitOptions struct{}

func (o *limitOptions) addTo(_ *pflag.FlagSet) {}

// set puts them into the container; one of fewer steps gets nothing.
func (o *limitOptions) set(_ *container.Container) error { return nil }
