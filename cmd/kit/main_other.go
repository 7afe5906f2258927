//go:build !linux

// Kit builds a Linux container step by step. Its kernel calls exist on Linux
// only: elsewhere it says how to get one.
package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	fmt.Fprintf(os.Stderr, "kit: %s has no namespaces and no cgroups: kit needs Linux\n", runtime.GOOS)
	switch runtime.GOOS {
	case "darwin":
		fmt.Fprintln(os.Stderr, "hint: a virtual machine is enough: brew install lima && limactl start && lima")
	case "windows":
		fmt.Fprintln(os.Stderr, "hint: WSL 2 is a Linux kernel: wsl --install, then build kit inside")
	default:
		fmt.Fprintln(os.Stderr, "hint: any virtual machine with Linux 5.12 or later will do")
	}
	os.Exit(125)
}
