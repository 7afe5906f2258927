//go:build linux && !cgo

package main

// cgoBuild tells that this program was built with cgo, as for the race detector.
const cgoBuild = false
