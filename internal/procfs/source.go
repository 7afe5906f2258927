package procfs

import "embed"

// Source is this package's own source, of which kit new makes a lab.
//
//go:embed *.go
var Source embed.FS
