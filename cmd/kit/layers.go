//go:build linux

package main

import (
	"github.com/spf13/pflag"

	"github.com/containerkit/kit/internal/container"
)

// layerOptions are the flags of step 4.
type layerOptions struct{}

func (o *layerOptions) addTo(_ *pflag.FlagSet) {}

// set puts them into the container; one of fewer steps gets nothing.
func (o *layerOptions) set(_ *container.Container) error { return nil }
