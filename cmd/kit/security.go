//go:build linux

package main

import (
	"github.com/spf13/pflag"

	"github.com/containerkit/kit/internal/container"
)

// securityOptions are the flags of step 6.
type securityOptions struct{}

func (o *securityOptions) addTo(_ *pflag.FlagSet) {}

// set puts them into the container; one of fewer steps gets nothing.
func (o *securityOptions) set(_ *container.Container) error { return nil }
