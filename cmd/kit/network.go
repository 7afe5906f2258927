//go:build linux

package main

import (
	"github.com/spf13/pflag"

	"github.com/containerkit/kit/internal/container"
)

// networkOptions are the flags of step 5.
type networkOptions struct{}

func (o *networkOptions) addTo(_ *pflag.FlagSet) {}

// set puts them into the container; one of fewer steps gets nothing.
func (o *networkOptions) set(_ *container.Container) error { return nil }
