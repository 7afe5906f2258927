package container

import "embed"

// Source is the engine's own source, as the trace quotes it and kit new copies it.
//
//go:embed *.go *.s
var Source embed.FS
