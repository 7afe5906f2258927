package container

import "embed"

// Source is the engine's own source, as the trace quotes it.
//
//go:embed *.go
var Source embed.FS
